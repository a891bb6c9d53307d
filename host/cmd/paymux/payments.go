package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/oklog/ulid/v2"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/sdk"
)

type payments struct {
	Create createCommand      `cmd:"" help:"Start a payment."`
	Get    getCommand         `cmd:"" help:"Show a payment with its timeline."`
	List   listPaymentCommand `cmd:"" help:"List payments, the newest first."`
	Watch  watchCommand       `cmd:"" help:"Follow a payment until it ends."`
}

type createCommand struct {
	MerchantOrderID string            `name:"merchant-order-id" help:"Names this attempt: the same command with the same id never pays twice. Default: a new one." placeholder:"ID"`
	Amount          string            `required:"" help:"Such as 20.00."`
	Currency        string            `default:"HKD" help:"ISO 4217."`
	Method          string            `required:"" help:"alipay_hk or alipay_cn."`
	Flow            string            `default:"mobile_web" help:"mobile_web, web_qr, store_qr or app."`
	Description     string            `default:"paymux payments create" help:"Shown to the payer."`
	ReturnURL       string            `name:"return-url" help:"Where the payer comes back to." placeholder:"URL"`
	OrderGroup      string            `help:"Links attempts at one purchase." placeholder:"ID"`
	Provider        string            `help:"Take this provider, whatever the routes say." placeholder:"NAME"`
	Metadata        map[string]string `help:"Kept with the payment; may be repeated." mapsep:"none" placeholder:"KEY=VALUE"`
	apiFlags
}

type getCommand struct {
	ID string `arg:"" help:"The payment's id, pay_…"`
	apiFlags
}

type listPaymentCommand struct {
	MerchantOrderID string `name:"merchant-order-id" help:"Only that of this merchant_order_id." placeholder:"ID"`
	OrderGroup      string `help:"Only those of this order_group." placeholder:"ID"`
	Status          string `help:"Only those in this state, such as PENDING."`
	Review          string `help:"Only those to be reviewed for this reason; any: for whatever reason." placeholder:"REASON"`
	Cursor          string `help:"Go on where another page ended."`
	Limit           int    `help:"At most so many, 1 to 200. Default: 50." placeholder:"N"`
	apiFlags
}

// createRequest is the body of a create. What wasn't given is left out: the API
// refuses an empty optional field.
type createRequest struct {
	MerchantOrderID string            `json:"merchant_order_id"`
	Amount          string            `json:"amount"`
	Currency        string            `json:"currency"`
	Method          string            `json:"method"`
	Flow            string            `json:"flow"`
	Description     string            `json:"description"`
	ReturnURL       string            `json:"return_url,omitempty"`
	OrderGroup      string            `json:"order_group,omitempty"`
	Provider        string            `json:"provider,omitempty"`
	Metadata        map[string]string `json:"metadata,omitempty"`
}

const paymentsPath = "v1/payments"

// Run starts a payment.
func (c createCommand) Run(a *app) error {
	api, err := c.client(a)
	if err != nil {
		return err
	}
	r := createRequest{
		MerchantOrderID: cmp.Or(c.MerchantOrderID, "cli-"+ulid.Make().String()), Amount: c.Amount, Currency: c.Currency,
		Method: c.Method, Flow: c.Flow, Description: c.Description, ReturnURL: c.ReturnURL, OrderGroup: c.OrderGroup,
		Provider: c.Provider, Metadata: c.Metadata,
	}
	document, err := api.call(a.ctx, http.MethodPost, paymentsPath, nil, r)
	if errors.Is(err, errNoAnswer) {
		return fmt.Errorf("%w\nThe payment may exist. Repeat the command with --merchant-order-id %s: that never pays twice", err, r.MerchantOrderID)
	}
	if err != nil {
		return c.fail(a, err)
	}
	return a.printPayment(document, c.JSON)
}

// Run shows a payment.
func (c getCommand) Run(a *app) error {
	api, err := c.client(a)
	if err != nil {
		return err
	}
	document, err := api.call(a.ctx, http.MethodGet, paymentPath(c.ID), nil, nil)
	if err != nil {
		return c.fail(a, err)
	}
	return a.printPayment(document, c.JSON)
}

func paymentPath(id string) string { return paymentsPath + "/" + url.PathEscape(id) }

// Run lists payments.
func (c listPaymentCommand) Run(a *app) error {
	api, err := c.client(a)
	if err != nil {
		return err
	}
	query := url.Values{}
	for name, value := range map[string]string{
		"merchant_order_id": c.MerchantOrderID, "order_group": c.OrderGroup, "status": c.Status, "review": c.Review, "cursor": c.Cursor,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if c.Limit != 0 {
		query.Set("limit", strconv.Itoa(c.Limit))
	}
	document, err := api.call(a.ctx, http.MethodGet, paymentsPath, query, nil)
	if err != nil {
		return c.fail(a, err)
	}
	if c.JSON {
		return a.printRaw(document)
	}
	return a.printPage(document)
}

func (a *app) printPage(document []byte) error {
	var page struct {
		Data       []host.Payment `json:"data"`
		NextCursor string         `json:"next_cursor"`
	}
	if err := json.Unmarshal(document, &page); err != nil {
		return unreadable(err)
	}
	t := newTable(a.stdout, "ID", "CREATED", "STATUS", "AMOUNT", "METHOD", "PROVIDER", "MERCHANT ORDER", "REVIEW")
	for _, p := range page.Data {
		review := ""
		if p.Review != nil {
			review = string(p.Review.Reason)
		}
		t.row(p.ID, when(p.CreatedAt), p.Status, p.Amount+" "+p.Currency, string(p.Method), p.Provider, p.MerchantOrderID, review)
	}
	t.flush()
	if page.NextCursor != "" {
		a.printf("more: --cursor %s\n", plain(page.NextCursor))
	}
	return nil
}

func unreadable(err error) error { return fmt.Errorf("the host's answer can't be read: %w", err) }

// printPayment prints a payment of the API.
func (a *app) printPayment(document []byte, asJSON bool) error {
	if asJSON {
		return a.printRaw(document)
	}
	var p host.Payment
	if err := json.Unmarshal(document, &p); err != nil {
		return unreadable(err)
	}
	a.printSummary(p)
	if len(p.Timeline) > 0 {
		a.printf("\n")
	}
	t := newTable(a.stdout)
	for _, e := range p.Timeline {
		t.row(timelineCells(e)...)
	}
	t.flush()
	return nil
}

func (a *app) printSummary(p host.Payment) {
	review, refunded := "", ""
	if p.Review != nil {
		review = string(p.Review.Reason) + " since " + when(p.Review.Since) + ": " + string(p.Review.Observed)
	}
	if strings.Trim(p.AmountRefunded, "0.") != "" {
		refunded = p.AmountRefunded + " " + p.Currency
	}
	pairs := []string{
		"payment", p.ID, "status", strings.TrimSpace(p.Status + " " + p.Code), "because", p.StatusReason, "amount", p.Amount + " " + p.Currency,
		"refunded", refunded, "method", string(p.Method) + " " + string(p.Flow), "merchant order", p.MerchantOrderID, "order group", p.OrderGroup,
		"provider", p.Provider, "acquirer order", p.ProviderOrderID, "created", when(p.CreatedAt), "paid", when(p.PaidAt), "review", review,
	}
	if p.NextAction != nil {
		pairs = append(pairs, actionFields(*p.NextAction)...)
	}
	a.fields(pairs...)
}

// actionFields say what the payer has to do.
func actionFields(n sdk.NextAction) []string {
	how := map[sdk.ActionType]string{
		sdk.ActionRedirect: "open the URL", sdk.ActionQRCode: "draw a QR code of the text", sdk.ActionAppLink: "open the URL in the wallet's app",
		sdk.ActionSDK: "hand the parameters to the wallet's SDK", sdk.ActionFormPost: "POST the parameters to the URL as a form",
	}[n.Type]
	next := string(n.Type)
	if how != "" {
		next += ": " + how
	}
	if !n.ExpiresAt.IsZero() {
		next += " until " + when(n.ExpiresAt)
	}
	params := ""
	if len(n.Params) > 0 {
		text, _ := json.Marshal(n.Params) // a map of strings: can't fail
		params = string(text)
	}
	return []string{"next", next, "url", n.URL, "text", n.QRCode, "otherwise", n.FallbackURL, "parameters", params}
}

func timelineCells(e host.TimelineEntry) []string {
	word := e.Status
	if e.Kind != "status" {
		word = e.Kind
	}
	source := e.Source
	if e.RawStatus != "" {
		source += " (" + e.RawStatus + ")"
	}
	return []string{e.At.UTC().Format("2006-01-02T15:04:05.000Z"), word, source, e.Detail}
}
