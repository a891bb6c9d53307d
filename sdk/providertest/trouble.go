package providertest

import (
	"context"
	"net/http"

	"github.com/paymux/paymux/sdk"
)

// effect is a call that has an effect at the acquirer, ready to be made. Its
// outcome says what the host may do next.
type effect struct {
	op    Op
	order sdk.Order // that it is about
	call  func(ctx context.Context) error
	made  func() (n int, known bool) // how often it took effect
}

// errFailed is an answer that says FAILED: a final no, as an error that says REFUSED.
var errFailed = sdk.Refused(sdk.CodeRefused, "the answer says FAILED")

// effects prepares each call that the provider has, on an order of its own.
func (w *world) effects() []effect {
	w.Helper()
	w.authorized()
	all := []effect{w.createEffect()}
	if e, ok := w.refundEffect(); ok {
		all = append(all, e)
	}
	if canceller, ok := w.provider.(sdk.Canceller); ok {
		order := w.create(w.request())
		all = append(all, effect{OpCancel, order, func(ctx context.Context) error {
			_, err := canceller.Cancel(ctx, sdk.CancelRequest{Order: order, RequestID: newID("r")})
			return err
		}, func() (int, bool) { return 0, false }})
	}
	return all
}

func (w *world) createEffect() effect {
	req := w.request()
	return effect{OpCreate, req.Order, func(ctx context.Context) error {
		p, err := w.provider.Create(ctx, req)
		if err == nil && p.Status == sdk.StatusFailed {
			return errFailed
		}
		return err
	}, func() (int, bool) {
		if w.Orders == nil {
			return 0, false
		}
		return w.Orders(req.MerchantOrderID), true
	}}
}

func (w *world) refundEffect() (effect, bool) {
	refunder, ok := w.provider.(sdk.Refunder)
	if !ok {
		return effect{}, false
	}
	order := w.paid()
	req := sdk.RefundRequest{Order: order, MerchantRefundID: newID("f"), RequestID: newID("r"), Amount: order.Money, Reason: "conformance"}
	return effect{OpRefund, order, func(ctx context.Context) error {
		r, err := refunder.Refund(ctx, req)
		if err == nil && r.Status == sdk.RefundFailed {
			return errFailed
		}
		return err
	}, func() (int, bool) {
		if w.Refunds == nil {
			return 0, false
		}
		return w.Refunds(order.MerchantOrderID), true
	}}, true
}

// authorized has the provider fetch what it needs, so that the next request is
// the one that a case is about.
func (w *world) authorized() {
	w.Helper()
	if _, err := w.provider.Authorize(w.Context()); err != nil {
		w.Fatalf("Authorize fails, though nothing is wrong: %v", err)
	}
}

// The troubles after which nobody knows what happened.
var (
	resetBefore  = trouble{name: "the connection is closed before the acquirer has read the request", before: true, cut: true}
	resetAfter   = trouble{name: "the connection is closed after the acquirer did it", cut: true}
	hangBefore   = trouble{name: "no answer comes, and nothing was done", before: true, hang: true}
	hangAfter    = trouble{name: "no answer comes, and it was done", hang: true}
	pageBefore   = page("503 with an HTML page, and nothing was done", true, http.StatusServiceUnavailable)
	pageMissing  = page("404 with an HTML page, as a server in between has it", true, http.StatusNotFound)
	pageAfter    = page("502 with an HTML page, and it was done", false, http.StatusBadGateway)
	pageOK       = page("200 with an HTML page, and it was done", false, http.StatusOK)
	halfAnswer   = trouble{name: "half of the answer", half: true}
	emptyAnswer  = trouble{name: "200 with nothing in it", status: http.StatusOK}
	endlessBody  = trouble{name: "an answer without end", endless: true}
	crossedBody  = trouble{name: "the answer to another request", crossed: true}
	unauthorized = trouble{name: "401", before: true, status: http.StatusUnauthorized, body: "{}", header: http.Header{"Content-Type": {"application/json"}}}
	redirected   = trouble{name: "a redirect elsewhere", before: true, status: http.StatusFound, header: http.Header{"Location": {"http://127.0.0.1:1/"}}}
)

func tooMany(retryAfter ...string) trouble {
	t := trouble{name: "429", before: true, status: http.StatusTooManyRequests, body: "{}", header: http.Header{"Content-Type": {"application/json"}}}
	if len(retryAfter) > 0 {
		t.name = "429 with Retry-After: " + retryAfter[0]
		t.header.Set("Retry-After", retryAfter[0])
	}
	return t
}
