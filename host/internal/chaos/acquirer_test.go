//go:build linux

package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path"
	"slices"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// flight is a call that the acquirer works on.
type flight struct {
	ctx context.Context // ends when the caller is gone
	op  string          // create or query
}

// serveAcquirer hands a call on to the sandbox. Two calls about one order at a
// time are a finding: two hosts, or one twice, work on the same payment.
func (w *world) serveAcquirer(rw http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return
	}
	q.Body = io.NopCloser(bytes.NewReader(body))
	if id := w.orderOf(body); id != "" {
		f := flight{q.Context(), path.Base(q.URL.Path)}
		w.take(id, f)
		defer w.land(id, f)
	}
	w.sandbox.ServeHTTP(rw, q)
}

func (w *world) take(id string, f flight) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, other := range w.flights[id] {
		if other.ctx.Err() == nil {
			w.verdict.doubles = append(w.verdict.doubles, f.op+" of order "+id+" while its "+other.op+" is under way")
		}
	}
	w.flights[id] = append(w.flights[id], f)
}

func (w *world) land(id string, f flight) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flights[id] = slices.DeleteFunc(w.flights[id], func(o flight) bool { return o.ctx == f.ctx })
}

// under reports whether a call about an order is under way.
func (w *world) under(id string, ops ...string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.flights[id], func(f flight) bool {
		return f.ctx.Err() == nil && (len(ops) == 0 || slices.Contains(ops, f.op))
	})
}

// orderOf finds out which merchant order a call is about.
func (w *world) orderOf(body []byte) string {
	var ids struct {
		OrderID         string `json:"order_id"`
		MerchantOrderID string `json:"merchant_order_id"`
	}
	_ = json.Unmarshal(body, &ids)
	if ids.MerchantOrderID != "" {
		return ids.MerchantOrderID
	}
	o, _ := w.sandbox.Order(ids.OrderID)
	return o.MerchantOrderID
}

// asked reports whether the acquirer was asked about an order.
func (w *world) asked(id string) bool {
	return slices.ContainsFunc(w.sandbox.Requests(), func(r cbtistest.Request) bool {
		return r.Op == cbtistest.OpQuery && r.MerchantOrderID == id
	})
}
