package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// patience is how long a payment may take from the wallet to SUCCEEDED. paymux
// asks by itself after 5 s if a notification gets lost.
const patience = time.Minute

// shoppers pay through one API.
type shoppers struct {
	api    api
	tally  *tally
	orders atomic.Int64
}

// shop makes payments until it is told to stop; the last one is finished.
func (s *shoppers) shop(ctx context.Context, method string, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-ctx.Done():
			return
		default:
		}
		p, a, err := s.order(ctx, method)
		if err == nil {
			err = s.pay(ctx, p, a)
		}
		s.tally.end(p, err)
		if err != nil {
			_ = pause(ctx, time.Second) // it is no use to fail fast
		}
	}
}

// order makes a payment; the shopper is now at the wallet.
func (s *shoppers) order(ctx context.Context, method string) (*payment, answer, error) {
	id := fmt.Sprintf("swap-%06d", s.orders.Add(1))
	p := s.tally.start(id, method)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	begun := time.Now()
	a, err := s.api.create(ctx, order{
		MerchantOrderID: id, Amount: "168.00", Currency: "HKD", Method: method, Flow: "mobile_web",
		Description: "A tin of Pu-erh", ReturnURL: "http://127.0.0.1/orders/" + id,
	})
	if err != nil {
		return p, a, err
	}
	s.tally.answered(p, a, time.Since(begun))
	if a.NextAction.URL == "" { // 202: the order may exist
		a, err = s.api.wait(ctx, a.ID, func(a answer) bool { return a.NextAction.URL != "" || a.final() })
		s.tally.answered(p, a, time.Since(begun))
	}
	if err == nil && a.NextAction.URL == "" {
		err = fmt.Errorf("payment %s ended %s without a wallet: %s", a.ID, a.Status, a.Reason)
	}
	return p, a, err
}

// pay presses Pay on the wallet's page and waits until paymux says SUCCEEDED.
func (s *shoppers) pay(ctx context.Context, p *payment, a answer) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.press(ctx, a.NextAction.URL); err != nil {
		return fmt.Errorf("payment %s at %s: %w", a.ID, p.provider, err)
	}
	a, err := s.api.wait(ctx, a.ID, answer.final)
	if err == nil && a.Status != "SUCCEEDED" {
		err = fmt.Errorf("payment %s at %s ended %s: %s", a.ID, p.provider, a.Status, a.Reason)
	}
	return err
}

// press does what the button of the wallet's page does in a browser. All four
// sandboxes have it at the same place.
func (s *shoppers) press(ctx context.Context, page string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(page, "/")+"/pay", nil)
	if err != nil {
		return err
	}
	resp, err := s.api.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	if resp.StatusCode != http.StatusSeeOther {
		return fmt.Errorf("the wallet answered %s", resp.Status)
	}
	return nil
}
