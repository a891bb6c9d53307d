package httpapi

import (
	"net/http"
	"net/url"
	"regexp"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/sdk"
)

var refundID = regexp.MustCompile(`^ref_[0-9A-HJKMNP-TV-Z]{26}$`)

func (a *api) createRefund(w http.ResponseWriter, r *http.Request, merchant string) {
	request, err := readJSON(w, r, parseRefund)
	if err != nil {
		fail(w, err)
		return
	}
	created, err := a.host.Refund(r.Context(), merchant, r.PathValue("id"), request)
	if err != nil {
		fail(w, err)
		return
	}
	answerRefund(w, created)
}

// answerRefund says what the merchant may do: 201 the acquirer has it, 202 wait
// and read it again, 402 it is refused and its amount is free again.
func answerRefund(w http.ResponseWriter, c host.RefundCreated) {
	r := c.Refund
	w.Header().Set("Location", "/v1/payments/"+r.PaymentID+"/refunds/"+r.ID)
	switch {
	case c.Existing:
		answer(w, http.StatusOK, r)
	case r.Status == sdk.RefundFailed.String():
		failRefund(w, c)
	case !c.Sent || r.Status == sdk.RefundUnknown.String():
		answer(w, http.StatusAccepted, r)
	default:
		answer(w, http.StatusCreated, r)
	}
}

// failRefund answers for a refund that has FAILED, be it by an error or by the
// acquirer's own status. The refund has the last word about the outcome.
func failRefund(w http.ResponseWriter, c host.RefundCreated) {
	e := c.Err
	if e == nil || e.Outcome != sdk.OutcomeRefused {
		e = sdk.Refused(sdk.CodeRefused, "the acquirer says that the refund has failed")
		if c.Refund.StatusReason != "" {
			e.Message = c.Refund.StatusReason
		}
	}
	p := problemOf(e)
	p.Status, p.PaymentID, p.RefundID, p.Outcome = http.StatusPaymentRequired, c.Refund.PaymentID, c.Refund.ID, e.Outcome.String()
	p.Remedy = "Its amount is free again. Another refund needs a new merchant_refund_id."
	failWith(w, e, p)
}

func (a *api) getRefund(w http.ResponseWriter, r *http.Request, merchant string) {
	refund, err := a.host.GetRefund(r.Context(), merchant, r.PathValue("id"), r.PathValue("rid"))
	answerOr(w, refund, err)
}

func (a *api) listRefunds(w http.ResponseWriter, r *http.Request, merchant string) {
	before, limit, err := pageQuery(r.URL, refundID)
	if err != nil {
		fail(w, err)
		return
	}
	refunds, more, err := a.host.Refunds(r.Context(), merchant, r.PathValue("id"), before, limit)
	if err != nil {
		fail(w, err)
		return
	}
	p := page[host.Refund]{Data: refunds}
	if more {
		p.NextCursor = refunds[len(refunds)-1].ID
	}
	answer(w, http.StatusOK, p)
}

// pageQuery reads the query of a list that has no filters.
func pageQuery(u *url.URL, ids *regexp.Regexp) (before string, limit int, err error) {
	query, err := queryOf(u, pageParameters)
	if err != nil {
		return "", 0, err
	}
	return pageOf(query, ids)
}

var pageParameters = []string{"cursor", "limit"}
