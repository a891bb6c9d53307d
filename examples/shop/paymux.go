package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxAnswer bounds what is read of one answer.
const maxAnswer = 1 << 20

// errAnswer is an answer that can't be used. What it was about is unknown.
var errAnswer = errors.New("paymux: unusable answer")

// CreateRequest asks for one attempt to pay. MerchantOrderID names the attempt:
// the same request may be sent again under it without paying twice.
type CreateRequest struct {
	MerchantOrderID string `json:"merchant_order_id"`
	OrderGroup      string `json:"order_group"`
	Amount          string `json:"amount"`
	Currency        string `json:"currency"`
	Method          string `json:"method"`
	Flow            string `json:"flow"`
	Description     string `json:"description"`
	ReturnURL       string `json:"return_url"`
}

// Payment is what paymux says of an attempt. Amounts stay decimal strings.
type Payment struct {
	ID              string      `json:"id"`
	MerchantOrderID string      `json:"merchant_order_id"`
	OrderGroup      string      `json:"order_group"`
	Amount          string      `json:"amount"`
	Currency        string      `json:"currency"`
	Method          string      `json:"method"`
	Flow            string      `json:"flow"`
	Status          string      `json:"status"`
	StatusReason    string      `json:"status_reason"`
	NextAction      *NextAction `json:"next_action"`
	CreatedAt       time.Time   `json:"created_at"`
	PaidAt          *time.Time  `json:"paid_at"`
}

// NextAction is what the shopper has to do to pay.
type NextAction struct {
	Type      string     `json:"type"`
	URL       string     `json:"url"`
	QRCode    string     `json:"qr_code"`
	ExpiresAt *time.Time `json:"expires_at"`
}

// Problem is a refusal that paymux put into words (RFC 9457).
type Problem struct {
	Status     int           `json:"-"`
	RetryAfter time.Duration `json:"-"`
	Code       string        `json:"code"`
	Outcome    string        `json:"outcome"`
	PaymentID  string        `json:"payment_id"`
	Field      string        `json:"field"`
	Detail     string        `json:"detail"`
}

// Error implements error.
func (p *Problem) Error() string {
	return fmt.Sprintf("paymux: HTTP %d, code %q, outcome %q, field %q: %.300s", p.Status, p.Code, p.Outcome, p.Field, p.Detail)
}

// Client calls the paymux API. It is safe for concurrent use.
type Client struct {
	base *url.URL
	key  string
	http *http.Client
}

// NewClient returns a client of the API at base.
func NewClient(base, apiKey string) (*Client, error) {
	u, err := baseURL("-paymux", base)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 16
	transport.MaxConnsPerHost = 64
	transport.MaxResponseHeaderBytes = 64 << 10
	return &Client{base: u, key: apiKey, http: &http.Client{
		Transport: transport,
		// Longer than the 10 s after which paymux answers "still running".
		Timeout: 15 * time.Second,
		// The key must not follow a redirect, and the API has none.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Create starts one attempt. A *Problem is a definite answer when its Status is
// below 500 or 503; any other error leaves open whether the attempt exists.
func (c *Client) Create(ctx context.Context, req CreateRequest) (Payment, error) {
	body, err := json.Marshal(req)
	if err != nil {
		return Payment{}, err
	}
	var p Payment
	if err := c.call(ctx, http.MethodPost, c.base.JoinPath("v1", "payments"), body, &p); err != nil {
		return Payment{}, err
	}
	if p.ID == "" || p.MerchantOrderID != req.MerchantOrderID {
		return Payment{}, fmt.Errorf("%w: it is about another attempt", errAnswer)
	}
	return p, nil
}

// Find asks for an attempt by the shop's own id. It reports false when paymux
// doesn't know the attempt.
func (c *Client) Find(ctx context.Context, attempt string) (Payment, bool, error) {
	list, err := c.list(ctx, "merchant_order_id", attempt)
	if err != nil {
		return Payment{}, false, err
	}
	for _, p := range list {
		if p.MerchantOrderID == attempt {
			return p, true, nil
		}
	}
	return Payment{}, false, nil
}

// Group lists every attempt of an order, newest first.
func (c *Client) Group(ctx context.Context, order string) ([]Payment, error) {
	return c.list(ctx, "order_group", order)
}

// Refresh has paymux ask the acquirer now. Read the payment to learn the result.
func (c *Client) Refresh(ctx context.Context, payment string) error {
	return c.call(ctx, http.MethodPost, c.base.JoinPath("v1", "payments", url.PathEscape(payment), "refresh"), nil, nil)
}

// list reads one page, which holds more attempts than the shop allows.
func (c *Client) list(ctx context.Context, by, value string) ([]Payment, error) {
	u := c.base.JoinPath("v1", "payments")
	u.RawQuery = url.Values{by: {value}, "limit": {strconv.Itoa(2 * maxAttempts)}}.Encode()
	var page struct {
		Data       []Payment `json:"data"`
		NextCursor string    `json:"next_cursor"`
	}
	if err := c.call(ctx, http.MethodGet, u, nil, &page); err != nil {
		return nil, err
	}
	if page.NextCursor != "" {
		return nil, fmt.Errorf("%w: more than one page of attempts", errAnswer)
	}
	return page.Data, nil
}

// call makes one request and decodes a good answer into out, if given.
func (c *Client) call(ctx context.Context, method string, u *url.URL, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errAnswer, err)
	case len(raw) > maxAnswer:
		return fmt.Errorf("%w: longer than %d bytes", errAnswer, maxAnswer)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return problem(resp, raw)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("%w: %w", errAnswer, err)
	}
	return nil
}

// problem reads a refusal. One that isn't problem+json, as a proxy would send,
// keeps its status code.
func problem(resp *http.Response, raw []byte) error {
	p := &Problem{}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind == "application/problem+json" {
		if json.Unmarshal(raw, p) != nil {
			p = &Problem{}
		}
	}
	p.Status = resp.StatusCode
	p.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	return p
}

// retryAfter reads either form of the header; what it can't read is zero.
func retryAfter(value string, now time.Time) time.Duration {
	const most = time.Hour
	if n, err := strconv.Atoi(value); err == nil {
		return min(max(time.Duration(min(n, int(most/time.Second)))*time.Second, 0), most)
	}
	if t, err := http.ParseTime(value); err == nil {
		return min(max(t.Sub(now).Round(time.Second), 0), most)
	}
	return 0
}

// baseURL reads an http(s) URL to which paths are added.
func baseURL(name, value string) (*url.URL, error) {
	u, err := url.Parse(value)
	if err != nil || !webURL(value) || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%s must be an http or https URL without user, query or fragment", name)
	}
	return u, nil
}

// webURL reports whether a browser may be sent there.
func webURL(value string) bool {
	u, err := url.Parse(value)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}
