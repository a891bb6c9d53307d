package stripetest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/paymux/paymux/providers/stripe/stripetest"
)

// reply is what came back.
type reply struct {
	status int
	header http.Header
	raw    string
	cut    bool // the connection was closed instead

	ID       string            `json:"id"`
	Status   string            `json:"status"`
	Metadata map[string]string `json:"metadata"`
	Data     []struct {
		ID     string `json:"id"`
		Amount int64  `json:"amount"`
	} `json:"data"`
	HasMore bool `json:"has_more"`
	Error   struct {
		Type  string `json:"type"`
		Code  string `json:"code"`
		Param string `json:"param"`
	} `json:"error"`
}

// client calls the handler without a network, so that it works in a bubble of
// testing/synctest too.
type client struct {
	t   *testing.T
	srv *stripetest.Server
	key string
}

func newClient(t *testing.T, o stripetest.Options) (*client, *stripetest.Server) {
	t.Helper()
	srv := stripetest.New(o)
	t.Cleanup(srv.Close)
	return &client{t, srv, stripetest.DefaultSecretKey}, srv
}

func (c *client) do(req *http.Request) (got reply) {
	c.t.Helper()
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	w := httptest.NewRecorder()
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler {
				panic(p)
			}
			got = reply{cut: true}
		}
	}()
	c.srv.ServeHTTP(w, req)
	got = reply{status: w.Code, header: w.Header(), raw: w.Body.String()}
	_ = json.Unmarshal(w.Body.Bytes(), &got) // some aren't JSON on purpose
	return got
}

func (c *client) get(target string) reply {
	c.t.Helper()
	return c.do(httptest.NewRequestWithContext(c.t.Context(), "GET", target, nil))
}

func (c *client) post(path, form, idempotencyKey string) reply {
	c.t.Helper()
	req := httptest.NewRequestWithContext(c.t.Context(), "POST", path, strings.NewReader(form))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if idempotencyKey != "" {
		req.Header.Set("Idempotency-Key", idempotencyKey)
	}
	return c.do(req)
}

const intents = "/v1/payment_intents"

// form is a good create request with changes; an empty value removes.
func form(changes ...string) string {
	f := url.Values{
		"amount": {"1250"}, "currency": {"hkd"}, "payment_method_types[]": {"alipay"}, "payment_method_data[type]": {"alipay"},
		"confirm": {"true"}, "return_url": {"https://shop.example.com/"}, "metadata[merchant_order_id]": {"P1"},
	}
	for i := 0; i < len(changes); i += 2 {
		f.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			f.Del(changes[i])
		}
	}
	return f.Encode()
}

// create makes a good payment.
func (c *client) create(id string) reply {
	c.t.Helper()
	got := c.post(intents, form("metadata[merchant_order_id]", id), "")
	if got.status != 200 || got.Status != stripetest.RequiresAction {
		c.t.Fatalf("got %d %s", got.status, got.raw)
	}
	return got
}

// receiver is a webhook endpoint without a network: an http.RoundTripper.
type receiver struct {
	answer  func(attempt int) int // the status; 0: no answer
	arrived chan arrival
	n       atomic.Int64
}

type arrival struct {
	signature string
	body      []byte
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(req.Body)
	n := int(r.n.Add(1))
	r.arrived <- arrival{req.Header.Get("Stripe-Signature"), body}
	status := 200
	if r.answer != nil {
		status = r.answer(n)
	}
	if status == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("")), Header: http.Header{}, Request: req}, nil
}
