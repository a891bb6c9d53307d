package providertest_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

// bank is an acquirer that lives in memory: the smallest that has everything
// the kit can look at.
type bank struct {
	*httptest.Server
	inbox  string
	token  string       // its own: a stray request to another bank's port does nothing
	anew   bool         // the same request again is another order
	client *http.Client // its own: closing a test server closes the connections of the default one

	mu      sync.Mutex
	key     string
	orders  []*order
	refunds map[string]*refund
	faults  map[providertest.Op]providertest.Fault
}

type order struct {
	ID       string `json:"id"`
	OrderID  string `json:"order_id"`
	Minor    int64  `json:"minor"`
	Currency string `json:"currency"`
	State    string `json:"state"`
	Link     string `json:"link"`
}

type refund struct {
	ID       string `json:"id"`
	RefundID string `json:"refund_id"`
	Minor    int64  `json:"minor"`
	Currency string `json:"currency"`
	State    string `json:"state"`
	order    *order
}

const (
	bankSecret = "s3cret/&of+the-bank"
	bankKey    = "notification-key-one"
)

func startBank(t *rules.T, s providertest.Setup) *bank {
	b := &bank{inbox: s.NotifyURL, token: rand.Text(), client: &http.Client{Transport: &http.Transport{}}, key: bankKey, refunds: map[string]*refund{}, faults: map[providertest.Op]providertest.Fault{}}
	b.Server = httptest.NewServer(b)
	t.Cleanup(func() { b.Close(); b.client.CloseIdleConnections() })
	return b
}

func opOf(r *http.Request) providertest.Op {
	op := providertest.Op(strings.TrimPrefix(r.URL.Path, "/"))
	if op == "token" {
		op = providertest.OpAuthorize
	}
	return op
}

type call struct {
	ID       string `json:"id,omitempty"`
	OrderID  string `json:"order_id,omitempty"`
	RefundID string `json:"refund_id,omitempty"`
	Minor    int64  `json:"minor,omitempty"`
	Currency string `json:"currency,omitempty"`
}

func (b *bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c call
	_ = json.NewDecoder(r.Body).Decode(&c)
	op := opOf(r)
	if op == providertest.OpAuthorize {
		if r.URL.Query().Get("secret") != bankSecret {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprintf(w, `{"token":%q,"seconds":3600}`, b.token)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+b.token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	fault := b.faults[op]
	delete(b.faults, op)
	switch fault {
	case providertest.FaultRefused:
		fail(w, "refused")
		return
	case providertest.FaultErrorCode:
		fail(w, "unheard_of")
		return
	}
	answer, problem := b.handle(op, c)
	if problem != "" {
		fail(w, problem)
		return
	}
	if o, ok := answer.(order); ok {
		answer = wrong(o, fault)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func fail(w http.ResponseWriter, problem string) { _, _ = fmt.Fprintf(w, `{"error":%q}`, problem) }

func wrong(o order, fault providertest.Fault) order {
	switch fault {
	case providertest.FaultWrongOrder:
		o.ID = "another"
	case providertest.FaultWrongMerchantOrder:
		o.OrderID = "another"
	case providertest.FaultWrongAmount:
		o.Minor *= 100
	case providertest.FaultWrongCurrency:
		o.Currency = "TWD"
	}
	return o
}

func (b *bank) handle(op providertest.Op, c call) (answer any, problem string) {
	if op == providertest.OpCreate {
		return b.create(c)
	}
	if op == providertest.OpQueryRefund {
		if r := b.refunds[c.RefundID]; r != nil {
			return *r, ""
		}
		return nil, "no_such_refund"
	}
	o := b.find(c.ID)
	if o == nil {
		o = b.find(c.OrderID)
	}
	switch {
	case o == nil:
		return nil, "no_such_order"
	case op == providertest.OpCancel:
		if o.State != "paid" {
			o.State = "closed"
		}
	case op == providertest.OpRefund:
		return b.refund(o, c)
	}
	return *o, ""
}

func (b *bank) create(c call) (any, string) {
	if o := b.find(c.OrderID); o != nil && !b.anew {
		if o.Minor != c.Minor || o.Currency != c.Currency {
			return nil, "other_order"
		}
		return *o, ""
	}
	if !slices.Contains([]string{"HKD", "JPY", "BHD"}, c.Currency) {
		return nil, "refused"
	}
	id := fmt.Sprintf("B%d", len(b.orders)+1)
	b.orders = append(b.orders, &order{id, c.OrderID, c.Minor, c.Currency, "open", b.URL + "/pay/" + id})
	return *b.orders[len(b.orders)-1], ""
}

func (b *bank) refund(o *order, c call) (any, string) {
	if r := b.refunds[c.RefundID]; r != nil {
		return *r, ""
	}
	left := o.Minor
	for _, r := range b.refunds {
		if r.order == o {
			left -= r.Minor
		}
	}
	if o.State != "paid" || c.Minor > left {
		return nil, "refused"
	}
	r := &refund{"R" + c.RefundID, c.RefundID, c.Minor, o.Currency, "paid", o}
	b.refunds[c.RefundID] = r
	return *r, ""
}

func (b *bank) find(id string) *order {
	i := slices.IndexFunc(b.orders, func(o *order) bool { return id != "" && (o.ID == id || o.OrderID == id) })
	if i < 0 {
		return nil
	}
	return b.orders[i]
}

// set moves an order, as a payer or an operator would.
func (b *bank) set(id, state string, only ...string) error {
	b.mu.Lock()
	o := b.find(id)
	if o == nil || len(only) > 0 && !slices.Contains(only, o.State) {
		b.mu.Unlock()
		return errors.New("it can't be")
	}
	o.State = state
	body, _ := json.Marshal(map[string]string{"event": state, "order_id": o.OrderID})
	key := b.key
	b.mu.Unlock()
	if state != "paid" {
		return nil
	}
	req, err := http.NewRequest(http.MethodPost, b.inbox, strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	req.Header.Set("Bank-Signature", sign(body, key))
	resp, err := b.client.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func sign(body []byte, key string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
