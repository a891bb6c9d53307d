package airwallextest

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"

	"github.com/paymux/paymux/providers/internal/sandbox"
)

type createRequest struct {
	RequestID       string            `json:"request_id"`
	Amount          jsontext.Value    `json:"amount"`
	Currency        string            `json:"currency"`
	MerchantOrderID string            `json:"merchant_order_id"`
	ReturnURL       string            `json:"return_url"`
	Descriptor      string            `json:"descriptor"`
	Metadata        map[string]string `json:"metadata"`
}

// intentData is an intent as the API shows it.
type intentData struct {
	ID              string         `json:"id"`
	RequestID       string         `json:"request_id"`
	Amount          jsontext.Value `json:"amount"`
	Currency        string         `json:"currency"`
	MerchantOrderID string         `json:"merchant_order_id"`
	Descriptor      string         `json:"descriptor,omitzero"`
	ReturnURL       string         `json:"return_url,omitzero"`
	Status          Status         `json:"status"`
	CapturedAmount  jsontext.Value `json:"captured_amount"`
	ClientSecret    string         `json:"client_secret,omitzero"`
	LatestAttempt   *attemptData   `json:"latest_payment_attempt,omitzero"`
	NextAction      *nextAction    `json:"next_action,omitzero"`
	CreatedAt       string         `json:"created_at"`
	UpdatedAt       string         `json:"updated_at"`
}

type attemptData struct {
	ID          string `json:"id"`
	Status      string `json:"status,omitzero"`
	FailureCode string `json:"failure_code,omitzero"`
}

type nextAction struct {
	Type        string            `json:"type"`
	Method      string            `json:"method,omitzero"`
	URL         string            `json:"url,omitzero"`
	QRCode      string            `json:"qrcode,omitzero"`
	PackageName string            `json:"package_name,omitzero"`
	FallbackURL string            `json:"fallback_url,omitzero"`
	Data        map[string]string `json:"data,omitzero"`
}

func intentOf(in *Intent) intentData {
	d := intentData{
		ID: in.ID, RequestID: in.RequestID, Amount: jsontext.Value(in.Amount), Currency: in.Currency,
		MerchantOrderID: in.MerchantOrderID, Descriptor: in.Descriptor, ReturnURL: in.ReturnURL, Status: in.Status,
		CapturedAmount: jsontext.Value("0"), ClientSecret: in.ClientSecret, NextAction: in.next,
		CreatedAt: apiTime(in.CreatedAt), UpdatedAt: apiTime(in.UpdatedAt),
	}
	if in.Status == Succeeded {
		d.CapturedAmount = d.Amount
	}
	if in.AttemptID != "" {
		d.LatestAttempt = &attemptData{ID: in.AttemptID, Status: "PENDING"}
		if in.Status == Succeeded {
			d.LatestAttempt.Status = "CAPTURE_REQUESTED"
		} else if in.AttemptFailed {
			d.LatestAttempt.Status, d.LatestAttempt.FailureCode = "FAILED", "payer_cancelled"
		}
	}
	return d
}

// create makes an intent, which nobody can pay yet.
func (s *Server) create(c *call) (int, any, *refusal) {
	var req createRequest
	if no := s.decode(c, &req); no != nil {
		return 0, nil, no
	}
	amount, no := s.amount(req.Amount)
	if no != nil {
		return 0, nil, no
	}
	if no := s.checkCreate(&req); no != nil {
		return 0, nil, no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := "int_" + sandbox.RandomHex(12)
	switch again, no := s.useKeyLocked(c, req.RequestID, id); {
	case no != nil:
		return 0, nil, no
	case again != "":
		return http.StatusOK, intentOf(s.byIDLocked(again)), nil
	}
	now := s.opt.Now()
	in := &Intent{
		ID: id, RequestID: req.RequestID, MerchantOrderID: req.MerchantOrderID, Amount: amount.String(), Currency: req.Currency,
		Descriptor: req.Descriptor, ReturnURL: req.ReturnURL, ClientSecret: sandbox.RandomHex(16), Status: RequiresPaymentMethod, CreatedAt: now, UpdatedAt: now,
	}
	s.intents = append(s.intents, in)
	return http.StatusCreated, intentOf(in), nil
}

func (s *Server) checkCreate(req *createRequest) *refusal {
	switch {
	case !regexp.MustCompile(`^[A-Z]{3}$`).MatchString(req.Currency):
		return s.invalid("currency", "must be three capital letters")
	case req.MerchantOrderID == "":
		return s.invalid("merchant_order_id", "is required")
	case req.ReturnURL != "" && !absoluteURL(req.ReturnURL):
		return s.invalid("return_url", "must be an absolute URL")
	}
	return nil
}

var amountGrammar = regexp.MustCompile(`^(0|[1-9][0-9]{0,11})(\.[0-9]{1,2})?$`)

// amount reads a JSON number; a string is none.
func (s *Server) amount(raw jsontext.Value) (decimal.Decimal, *refusal) {
	if !amountGrammar.Match(raw) {
		return decimal.Zero, s.invalid("amount", "must be a number with at most two decimals")
	}
	amount := decimal.RequireFromString(string(raw))
	if !amount.IsPositive() {
		return decimal.Zero, s.invalid("amount", "must be greater than zero")
	}
	return amount, nil
}

type confirmRequest struct {
	RequestID     string        `json:"request_id"`
	ReturnURL     string        `json:"return_url"`
	PaymentMethod paymentMethod `json:"payment_method"`
}

type paymentMethod struct {
	Type     string         `json:"type"`
	AlipayHK *walletOptions `json:"alipayhk"`
	AlipayCN *walletOptions `json:"alipaycn"`
}

type walletOptions struct {
	Flow   string `json:"flow"`
	OSType string `json:"os_type"`
}

// confirm says how the payer pays, and answers with what the payer has to do.
func (s *Server) confirm(c *call) (int, any, *refusal) {
	var req confirmRequest
	if no := s.decode(c, &req); no != nil {
		return 0, nil, no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.byIDLocked(c.r.PathValue("id"))
	if in == nil {
		return 0, nil, s.notFound()
	}
	options, no := s.checkMethod(req.PaymentMethod, in)
	if no != nil {
		return 0, nil, no
	}
	if again, no := s.useKeyLocked(c, req.RequestID, in.ID); no != nil || again != "" {
		return http.StatusOK, intentOf(in), no
	}
	if in.Status != RequiresPaymentMethod {
		s.freeKeyLocked(req.RequestID)
		return 0, nil, &refusal{http.StatusBadRequest, s.opt.Codes.BadState, "the payment intent can't be confirmed now", "status"}
	}
	in.Method, in.Flow, in.OSType, in.AttemptID, in.AttemptFailed = req.PaymentMethod.Type, options.Flow, options.OSType, "att_"+sandbox.RandomHex(12), false
	in.ReturnURL = cmp.Or(req.ReturnURL, in.ReturnURL)
	in.Link = cmp.Or(s.opt.BaseURL, "http://"+c.r.Host) + "/wallet/" + in.ID
	in.Status, in.UpdatedAt, in.next = RequiresCustomerAction, s.opt.Now(), actionOf(in)
	return http.StatusOK, intentOf(in), nil
}

func (s *Server) checkMethod(m paymentMethod, in *Intent) (*walletOptions, *refusal) {
	options, other, currency := m.AlipayHK, m.AlipayCN, "HKD"
	if m.Type == "alipaycn" {
		options, other, currency = m.AlipayCN, m.AlipayHK, "CNY"
	}
	switch {
	case m.Type != "alipayhk" && m.Type != "alipaycn":
		return nil, s.invalid("payment_method.type", "%q is not known", m.Type)
	case options == nil || other != nil:
		return nil, s.invalid("payment_method."+m.Type, "must be the only options")
	case in.Currency != currency:
		return nil, s.invalid("currency", "%s takes %s", m.Type, currency)
	case !strings.Contains(" mobile_web qrcode webqr mobile_app inapp mini_program ", " "+options.Flow+" ") || options.Flow == "mini_program" && m.Type != "alipaycn":
		return nil, s.invalid("payment_method."+m.Type+".flow", "%q is not known", options.Flow)
	case options.OSType != "" && options.OSType != "android" && options.OSType != "ios":
		return nil, s.invalid("payment_method."+m.Type+".os_type", "must be android or ios")
	}
	return options, nil
}

func actionOf(in *Intent) *nextAction {
	switch in.Flow {
	case "qrcode":
		return &nextAction{Type: "render_qrcode", QRCode: in.Link, URL: in.Link}
	case "mobile_app", "inapp":
		next := &nextAction{Type: "redirect", URL: "paymux-sandbox-wallet://pay/" + in.ID, FallbackURL: in.Link}
		if in.OSType == "android" {
			next.PackageName = "org.paymux.sandbox.wallet"
		}
		return next
	case "mini_program":
		return &nextAction{Type: "call_sdk", Data: map[string]string{"paymentUrl": in.Link}}
	default:
		return &nextAction{Type: "redirect", Method: "GET", URL: in.Link}
	}
}

func absoluteURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil
}
