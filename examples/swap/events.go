package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// inbox is the shop's endpoint for paymux's events.
type inbox struct {
	url    string
	server *http.Server
	verify *standardwebhooks.Webhook

	mu      sync.Mutex
	seen    map[string]map[int]string // payment → sequence → type
	changed chan struct{}             // closed with the next event
}

func openInbox(secret string) (*inbox, error) {
	verify, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return nil, errors.New("the secret for events can't be used")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	in := &inbox{url: "http://" + l.Addr().String() + "/hooks/paymux", verify: verify, seen: map[string]map[int]string{}, changed: make(chan struct{})}
	in.server = &http.Server{Handler: http.HandlerFunc(in.take), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = in.server.Serve(l) }()
	return in, nil
}

func (in *inbox) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil || in.verify.Verify(body, r.Header) != nil {
		http.Error(w, "not signed by paymux", http.StatusUnauthorized)
		return
	}
	var e struct {
		Type     string `json:"type"`
		Sequence int    `json:"sequence"`
		Data     struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &e) != nil {
		http.Error(w, "not an event", http.StatusBadRequest)
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.seen[e.Data.ID] == nil {
		in.seen[e.Data.ID] = map[int]string{}
	}
	in.seen[e.Data.ID][e.Sequence] = e.Type // again: the same
	close(in.changed)
	in.changed = make(chan struct{})
}

// lost counts the events that are missing: gaps in a payment's sequence, and the
// end of those that succeeded.
func (in *inbox) lost(succeeded []string) (n int, next <-chan struct{}) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, id := range succeeded {
		last, told := 0, false
		for sequence, kind := range in.seen[id] {
			last = max(last, sequence)
			told = told || kind == "payment.succeeded"
		}
		n += last - len(in.seen[id])
		if !told {
			n++
		}
	}
	return n, in.changed
}

// wait waits until none is missing, or not any longer, and returns how many are.
func (in *inbox) wait(ctx context.Context, succeeded []string, most time.Duration) int {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for {
		n, next := in.lost(succeeded)
		if n == 0 {
			return 0
		}
		select {
		case <-next:
		case <-ctx.Done():
			return n
		}
	}
}
