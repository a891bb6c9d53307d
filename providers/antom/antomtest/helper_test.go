package antomtest

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

const goodPay = `{"productCode":"CASHIER_PAYMENT","paymentRequestId":"P1","order":{"referenceOrderId":"P1","orderDescription":"Tea","orderAmount":{"currency":"HKD","value":"150"}},` +
	`"paymentAmount":{"currency":"HKD","value":"150"},"paymentMethod":{"paymentMethodType":"ALIPAY_HK"},"paymentRedirectUrl":"https://shop.example/thanks","paymentNotifyUrl":"http://shop.example/notify","env":{"terminalType":"WAP"}}`

// response is an answer of the sandbox to the raw client below, which shares no
// code with any adapter.
type response struct {
	status int
	header http.Header
	raw    []byte
	body   struct {
		Result            Result        `json:"result"`
		PaymentStatus     Status        `json:"paymentStatus"`
		RefundStatus      Status        `json:"refundStatus"`
		PaymentID         string        `json:"paymentId"`
		PaymentRequestID  string        `json:"paymentRequestId"`
		RefundID          string        `json:"refundId"`
		RefundRequestID   string        `json:"refundRequestId"`
		PaymentAmount     Amount        `json:"paymentAmount"`
		RefundAmount      Amount        `json:"refundAmount"`
		NormalURL         string        `json:"normalUrl"`
		SchemeURL         string        `json:"schemeUrl"`
		ApplinkURL        string        `json:"applinkUrl"`
		OrderCodeForm     orderCodeForm `json:"orderCodeForm"`
		PaymentCreateTime string        `json:"paymentCreateTime"`
		PaymentTime       string        `json:"paymentTime"`
		CancelTime        string        `json:"cancelTime"`
		RefundTime        string        `json:"refundTime"`
	}
}

// request builds a signed request.
func request(s *Server, path, body string) *http.Request {
	at := strconv.FormatInt(s.opt.Now().UnixMilli(), 10)
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json; charset=UTF-8")
	r.Header.Set("Client-Id", s.opt.ClientID)
	r.Header.Set("Request-Time", at)
	r.Header.Set("Signature", Sign(merchantKey(), r.Method, path, s.opt.ClientID, at, []byte(body)))
	return r
}

// send hands a request to the server, without a network.
func send(t *testing.T, s *Server, r *http.Request) response {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	got := response{status: w.Code, header: w.Header(), raw: w.Body.Bytes()}
	if err := json.Unmarshal(got.raw, &got.body, json.RejectUnknownMembers(false)); err != nil && w.Code == 200 {
		t.Fatalf("%v in %s", err, got.raw)
	}
	return got
}

func post(t *testing.T, s *Server, call, body string) response {
	t.Helper()
	path := livePath + "/payments/" + call
	got := send(t, s, request(s, path, body))
	block, _ := pem.Decode([]byte(s.Credentials().PublicKey))
	if key, err := x509.ParsePKIXPublicKey(block.Bytes); err != nil || key == nil {
		t.Fatal(err)
	}
	if err := signedBy(&s.signingKey().PublicKey, "1", "POST", path, s.opt.ClientID, got.header.Get("Response-Time"), got.raw, got.header.Get("Signature")); err != nil {
		t.Errorf("%s: the answer's signature: %v", call, err)
	}
	return got
}

// mustPay creates goodPay with an id.
func mustPay(t *testing.T, s *Server, id string) string {
	t.Helper()
	got := post(t, s, "pay", strings.ReplaceAll(goodPay, `"P1"`, `"`+id+`"`))
	if got.body.Result.Code != "PAYMENT_IN_PROCESS" {
		t.Fatalf("pay: %s", got.raw)
	}
	return got.body.PaymentID
}

func wantCode(t *testing.T, got response, status, code string) {
	t.Helper()
	if got.status != 200 || got.body.Result.Status != status || got.body.Result.Code != code {
		t.Errorf("got %d %s, want %s %s", got.status, got.raw, status, code)
	}
}

// shop is the merchant's side of notifications: an http.RoundTripper, so that
// there is no network inside a bubble of virtual time.
type shop struct {
	answers []string // the bodies of the answers in turn; the last stays
	status  int
	got     []*http.Request
	bodies  []string
	at      []time.Time
}

func (m *shop) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	m.got, m.bodies, m.at = append(m.got, r), append(m.bodies, string(body)), append(m.at, time.Now())
	answer := m.answers[0]
	if len(m.answers) > 1 {
		m.answers = m.answers[1:]
	}
	status := m.status
	if status == 0 {
		status = 200
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(answer))), Request: r}, nil
}

const ack = `{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`
