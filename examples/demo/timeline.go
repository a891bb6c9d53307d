package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// payment is what the demo reads of a payment.
type payment struct {
	ID              string    `json:"id"`
	Status          string    `json:"status"`
	StatusReason    string    `json:"status_reason"`
	Amount          string    `json:"amount"`
	Currency        string    `json:"currency"`
	ProviderOrderID string    `json:"provider_order_id"`
	CreatedAt       time.Time `json:"created_at"`
	Timeline        []step    `json:"timeline"`
}

// step is an entry of the timeline.
type step struct {
	At        time.Time `json:"at"`
	Kind      string    `json:"kind"`
	Status    string    `json:"status"`
	Source    string    `json:"source"`
	RawStatus string    `json:"raw_status"`
	Detail    string    `json:"detail"`
}

// ask reads from paymux's API.
func (s *settings) ask(ctx context.Context, path string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.host+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+s.apiKey)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		return fmt.Errorf("paymux answered %s to GET %s", a.Status, path)
	}
	return json.NewDecoder(a.Body).Decode(into)
}

// pluginPID is the plugin's process, 0 if it isn't known.
func (s *settings) pluginPID() int {
	var list struct {
		Data []struct {
			Process struct {
				PID int `json:"pid"`
			} `json:"process"`
		} `json:"data"`
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.ask(ctx, "/v1/providers", &list); err != nil || len(list.Data) == 0 {
		return 0
	}
	return list.Data[0].Process.PID
}

// newestPayment returns the id of the merchant's newest payment, "" if there is none.
func newestPayment(ctx context.Context, s *settings) (string, error) {
	var newest struct {
		Data []payment `json:"data"`
	}
	if err := s.ask(ctx, "/v1/payments?limit=1", &newest); err != nil || len(newest.Data) == 0 {
		return "", err
	}
	return newest.Data[0].ID, nil
}

// follow prints the timeline of the payment that is made after the one before, as
// it grows, until it has ended.
func follow(ctx context.Context, s *settings, out *narrator, before string) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	id, told := before, 0
	var p payment
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the payment did not end in time, it is %s: %w", cmp.Or(p.Status, "not made yet"), ctx.Err())
		case <-tick.C:
		}
		var err error
		if id == before {
			if id, err = newestPayment(ctx, s); err == nil && id == before {
				continue
			}
		}
		if err == nil {
			p = payment{}
			err = s.ask(ctx, "/v1/payments/"+id, &p)
		}
		if err != nil {
			return err
		}
		for ; told < len(p.Timeline); told++ {
			out.payment(p.Timeline[told].At, words(p, p.Timeline[told]))
		}
		switch p.Status {
		case "SUCCEEDED":
			return nil
		case "CANCELLED", "EXPIRED", "FAILED":
			return fmt.Errorf("payment %s ended %s: %s", p.ID, p.Status, p.StatusReason)
		}
	}
}

// words say what a step means.
func words(p payment, s step) string {
	switch s.Kind + " " + s.Source + " " + s.Status {
	case "status merchant CREATED":
		return "CREATED    the shop asked; " + p.ID + " is on disk before the acquirer is called"
	case "status create PENDING":
		return "PENDING    the acquirer has it as " + p.ProviderOrderID + "; next: the wallet"
	case "status query SUCCEEDED":
		return "SUCCEEDED  the acquirer, asked, names our order and " + p.Currency + " " + p.Amount
	}
	if s.Source == "notification" {
		return "notified   " + strings.TrimPrefix(s.Detail, "notification ") + ": signature checked, stored, acknowledged; now paymux asks"
	}
	text := fmt.Sprintf("%-10s says %s", s.Status, s.Source)
	if s.Detail != "" {
		text += ": " + s.Detail
	}
	return text
}
