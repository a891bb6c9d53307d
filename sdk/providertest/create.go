package providertest

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
	"github.com/paymux/paymux/sdk/schema"
)

var createRules = []rule{
	{ID: "create/answer", Says: "Create returns the acquirer's order id and a state in which the payer can still pay; whatever else it says is about our order.", Check: checkCreateAnswer},
	{ID: "create/actions", Says: "For every row of the capabilities Create returns next actions of the types that the row names, each complete.", Check: checkActions},
	{ID: "create/once", Says: "One Create sends one order.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		req := w.request()
		w.create(req)
		if n := w.proxy.count(OpCreate); n != 1 {
			t.Errorf("%d requests to create were sent", n)
		}
		w.orders(req.MerchantOrderID, 1)
	}},
	{ID: "create/ids", Says: "An order id of 32 characters with - and _ goes through unchanged.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		req := w.request()
		id := newID("A_z-9")
		for len(id) < 32 {
			id += "_"
		}
		req.MerchantOrderID = id
		p := w.query(w.create(req))
		if p.MerchantOrderID != "" && p.MerchantOrderID != id {
			t.Errorf("the acquirer knows it as %q, not as %q", p.MerchantOrderID, id)
		}
		w.orders(id, 1)
	}},
}

// now is the clock of the cases: providers run on the real one.
func now() time.Time { return time.Now() }

func (w *world) mustSchema() *schema.Schema {
	if w.schema == nil {
		w.Skipf("the schema can't be read, see describe/schema")
	}
	return w.schema
}

// orders checks how many orders the sandbox has under an id, if it can tell.
func (w *world) orders(id string, want int) {
	w.Helper()
	if w.Orders == nil {
		w.Logf("the harness has no Orders: not counted")
	} else if n := w.Orders(id); n != want {
		w.Errorf("the acquirer has %d orders %s, not %d", n, id, want)
	}
}

func checkCreateAnswer(t *rules.T, s *subject) {
	w := newWorld(t, s)
	req := w.request()
	p, err := w.provider.Create(t.Context(), req)
	if err != nil {
		t.Fatalf("it fails: %v", err)
	}
	if p.AcquirerOrderID == "" {
		t.Errorf("there is no AcquirerOrderID")
	}
	if p.Status != sdk.StatusPending {
		t.Errorf("the state of a fresh order is %s (raw %q)", p.Status, p.RawStatus)
	}
	for _, d := range p.Differences(req.Order) {
		t.Errorf("%s", d)
	}
}

func checkActions(t *rules.T, s *subject) {
	w := newWorld(t, s)
	for _, row := range s.Capabilities.Rows {
		where := fmt.Sprintf("%s %s %s", row.Method, row.Flow, row.Currency)
		p, err := w.provider.Create(t.Context(), w.requestFor(row))
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		if len(p.NextActions) == 0 {
			t.Errorf("%s: there is nothing for the payer to do", where)
		}
		for _, a := range p.NextActions {
			if !slices.Contains(row.Actions, a.Type) {
				t.Errorf("%s: the action %q isn't in the capabilities", where, a.Type)
			}
			if err := complete(a); err != nil {
				t.Errorf("%s: %s: %v", where, a.Type, err)
			}
		}
	}
}

// complete says what an action lacks.
func complete(a sdk.NextAction) error {
	if !a.ExpiresAt.IsZero() && a.ExpiresAt.Before(now()) {
		return errors.New("it has expired already")
	}
	switch a.Type {
	case sdk.ActionRedirect, sdk.ActionFormPost:
		if u, err := url.Parse(a.URL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return fmt.Errorf("the URL %q isn't one that a browser can open", a.URL)
		}
	case sdk.ActionAppLink:
		if u, err := url.Parse(a.URL); err != nil || u.Scheme == "" {
			return fmt.Errorf("the URL %q has no scheme", a.URL)
		}
	case sdk.ActionQRCode:
		if a.QRCode == "" {
			return errors.New("there is no text to draw")
		}
	case sdk.ActionSDK:
		if len(a.Params) == 0 {
			return errors.New("there are no parameters")
		}
	}
	return nil
}
