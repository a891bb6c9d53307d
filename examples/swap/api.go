package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// order is what a shop asks for.
type order struct {
	MerchantOrderID string `json:"merchant_order_id"`
	Amount          string `json:"amount"`
	Currency        string `json:"currency"`
	Method          string `json:"method"`
	Flow            string `json:"flow"`
	Description     string `json:"description"`
	ReturnURL       string `json:"return_url"`
}

// answer is what is read of a payment, or of a refusal.
type answer struct {
	ID         string `json:"id"`
	Status     string `json:"status"`
	Reason     string `json:"status_reason"`
	Provider   string `json:"provider"`
	NextAction struct {
		URL string `json:"url"`
	} `json:"next_action"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// api is paymux's API.
type api struct {
	url, key string
	client   *http.Client
}

// newClient keeps a connection for each shopper, and follows no redirect: where
// the wallet sends the shopper is the shop's.
func newClient(shoppers int) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = shoppers
	return &http.Client{Transport: transport, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

func (a *api) call(ctx context.Context, method, path string, body []byte) (int, http.Header, answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, a.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, answer{}, err
	}
	r.Header.Set("Authorization", "Bearer "+a.key)
	r.Header.Set("Content-Type", "application/json")
	resp, err := a.client.Do(r)
	if err != nil {
		return 0, nil, answer{}, err
	}
	defer resp.Body.Close()
	var p answer
	err = json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&p)
	return resp.StatusCode, resp.Header, p, err
}

// create starts a payment. As a shop does, it sends the same request again when
// nothing was sent (503) or the answer got lost: that can't pay twice.
func (a *api) create(ctx context.Context, o order) (answer, error) {
	body, err := json.Marshal(o)
	if err != nil {
		return answer{}, err
	}
	for {
		status, header, p, err := a.call(ctx, http.MethodPost, "/v1/payments", body)
		again := time.Second
		switch {
		case ctx.Err() != nil:
			return answer{}, fmt.Errorf("create got no answer: %w", ctx.Err())
		case err != nil:
		case status == http.StatusOK, status == http.StatusCreated, status == http.StatusAccepted:
			return p, nil
		case status == http.StatusServiceUnavailable:
			seconds, _ := strconv.Atoi(header.Get("Retry-After"))
			again = max(again, time.Duration(seconds)*time.Second)
		default:
			return answer{}, fmt.Errorf("create answered %d %s: %s", status, p.Code, p.Detail)
		}
		if err := pause(ctx, again); err != nil {
			return answer{}, err
		}
	}
}

// final reports whether a state is one that stays.
func (p answer) final() bool {
	switch p.Status {
	case "SUCCEEDED", "CANCELLED", "EXPIRED", "FAILED":
		return true
	}
	return false
}

// wait reads a payment until it is as wanted.
func (a *api) wait(ctx context.Context, id string, wanted func(answer) bool) (answer, error) {
	between := 10 * time.Millisecond
	var last answer
	for {
		status, _, p, err := a.call(ctx, http.MethodGet, "/v1/payments/"+id, nil)
		if err == nil && status == http.StatusOK {
			if last = p; wanted(p) {
				return p, nil
			}
		}
		if err := pause(ctx, between); err != nil {
			return last, fmt.Errorf("payment %s is %q for too long: %w", id, last.Status, err)
		}
		between = min(2*between, 500*time.Millisecond)
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
