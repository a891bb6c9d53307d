package httpapi

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/host/internal/failpoint"
	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/sdk"
)

func (a *api) createPayment(w http.ResponseWriter, r *http.Request, merchant string) {
	request, err := readJSON(w, r, parseCreate)
	if err != nil {
		fail(w, err)
		return
	}
	created, err := a.host.Create(r.Context(), merchant, request)
	if err != nil {
		fail(w, err)
		return
	}
	answerCreated(w, created)
}

// answerCreated says what the shop may do: 201 go on, 202 wait and ask, 402 ask
// for another way to pay, 503 send the same request again.
func answerCreated(w http.ResponseWriter, c host.Created) {
	failpoint.Hit("answer.create") // ordered, and the shop doesn't know
	p := c.Payment
	w.Header().Set("Location", "/v1/payments/"+p.ID)
	switch {
	case unsent(c):
		failPayment(w, http.StatusServiceUnavailable, c.Err, p)
	case c.Existing:
		answer(w, http.StatusOK, p)
	case p.Status == sdk.StatusUnknown.String() || p.Status == sdk.StatusCreated.String():
		answer(w, http.StatusAccepted, p)
	case c.Err != nil && c.Err.Outcome == sdk.OutcomeRefused && p.Status == sdk.StatusFailed.String():
		failPayment(w, http.StatusPaymentRequired, c.Err, p)
	default:
		answer(w, http.StatusCreated, p)
	}
}

// unsent reports that surely nothing was sent. The payment has the last word:
// another request about it may have been sent since this one's error.
func unsent(c host.Created) bool {
	return c.Err != nil && c.Err.Outcome == sdk.OutcomeNotSent && c.Payment.Status == sdk.StatusCreated.String()
}

// failPayment answers with an error about a payment that was recorded.
func failPayment(w http.ResponseWriter, status int, e *sdk.Error, p host.Payment) {
	known := problemOf(e)
	known.Status, known.PaymentID, known.Outcome = status, p.ID, e.Outcome.String()
	if status == http.StatusServiceUnavailable {
		known.Remedy = remedyUnsent
	}
	failWith(w, e, known)
}

func (a *api) getPayment(w http.ResponseWriter, r *http.Request, merchant string) {
	p, err := a.host.Get(r.Context(), merchant, r.PathValue("id"))
	answerOr(w, p, err)
}

func (a *api) refreshPayment(w http.ResponseWriter, r *http.Request, merchant string) {
	if err := noBody(w, r); err != nil {
		fail(w, err)
		return
	}
	p, err := a.host.Refresh(r.Context(), merchant, r.PathValue("id"))
	answerOr(w, p, err)
}

func (a *api) cancelPayment(w http.ResponseWriter, r *http.Request, merchant string) {
	if err := noBody(w, r); err != nil {
		fail(w, err)
		return
	}
	p, err := a.host.Cancel(r.Context(), merchant, r.PathValue("id"))
	answerOr(w, p, err)
}

func (a *api) reviewPayment(w http.ResponseWriter, r *http.Request, merchant string) {
	request, err := readJSON(w, r, parseReview)
	if err != nil {
		fail(w, err)
		return
	}
	p, err := a.host.Review(r.Context(), merchant, r.PathValue("id"), request)
	answerOr(w, p, err)
}

func answerOr(w http.ResponseWriter, v any, err error) {
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, v)
}

// page is a part of a list; NextCursor is empty at its end.
type page[T any] struct {
	Data       []T    `json:"data"`
	NextCursor string `json:"next_cursor,omitempty"`
}

func (a *api) listPayments(w http.ResponseWriter, r *http.Request, merchant string) {
	f, err := filterOf(r.URL)
	if err != nil {
		fail(w, err)
		return
	}
	found, more, err := a.host.List(r.Context(), merchant, f)
	if err != nil {
		fail(w, err)
		return
	}
	p := page[host.Payment]{Data: found}
	if more {
		p.NextCursor = found[len(found)-1].ID
	}
	answer(w, http.StatusOK, p)
}

var (
	listParameters = []string{"merchant_order_id", "order_group", "status", "review", "cursor", "limit"}
	reviewReasons  = []string{
		"any", string(lifecycle.LateSuccess), string(lifecycle.Mismatch), string(lifecycle.Stale), string(lifecycle.ProviderMissing), string(lifecycle.DuplicatePayment),
	}
	paymentID = regexp.MustCompile(`^pay_[0-9A-HJKMNP-TV-Z]{26}$`)
)

// queryOf reads the query. A misspelt parameter is an error: ignoring it would
// list what wasn't asked for.
func queryOf(u *url.URL, parameters []string) (url.Values, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, sdk.InvalidField("query", "is not well-formed")
	}
	for _, name := range slices.Sorted(maps.Keys(query)) { // the same request, the same answer
		values := query[name]
		if !slices.Contains(parameters, name) {
			if len(parameters) == 0 {
				return nil, sdk.InvalidField(name, "is not a parameter: this path takes none in its query")
			}
			return nil, sdk.InvalidField(name, "is not a parameter; there are %v", parameters)
		}
		if len(values) > 1 || values[0] == "" {
			return nil, sdk.InvalidField(name, "must be given once and not be empty, or be left out")
		}
	}
	return query, nil
}

// bare lets no query through: a parameter that is overlooked may be what the
// caller counts on.
func bare(serve merchantHandler) merchantHandler {
	return func(w http.ResponseWriter, r *http.Request, merchant string) {
		if _, err := queryOf(r.URL, nil); err != nil {
			fail(w, err)
			return
		}
		serve(w, r, merchant)
	}
}

// pageOf reads which page is asked for; the limit is 0 if it isn't given.
func pageOf(query url.Values, ids *regexp.Regexp) (before string, limit int, err error) {
	before = query.Get("cursor")
	if before != "" && !ids.MatchString(before) {
		return "", 0, sdk.InvalidField("cursor", "must be a next_cursor of an earlier page")
	}
	if text := query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > host.MaxPage || strconv.Itoa(limit) != text {
			return "", 0, sdk.InvalidField("limit", "must be a number from 1 to %d", host.MaxPage)
		}
	}
	return before, limit, nil
}

func filterOf(u *url.URL) (host.Filter, error) {
	var f host.Filter
	query, err := queryOf(u, listParameters)
	if err != nil {
		return f, err
	}
	f = host.Filter{
		MerchantOrderID: query.Get("merchant_order_id"), OrderGroup: query.Get("order_group"),
		Status: query.Get("status"), Review: query.Get("review"),
	}
	if f.MerchantOrderID != "" && !sdk.ValidOrderID(f.MerchantOrderID) {
		return f, sdk.InvalidField("merchant_order_id", "must have 1 to 32 characters of A-Z a-z 0-9 _ -, as every one that was taken")
	}
	if f.OrderGroup != "" && !host.ValidOrderGroup(f.OrderGroup) {
		return f, sdk.InvalidField("order_group", "must have 1 to 64 characters of A-Z a-z 0-9 _ -, as every one that was taken")
	}
	if f.Review != "" && !slices.Contains(reviewReasons, f.Review) {
		return f, sdk.InvalidField("review", "must be one of %v", reviewReasons)
	}
	f.Before, f.Limit, err = pageOf(query, paymentID)
	return f, err
}
