package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Send is After for an attempt to notify, which Idle waits for once it is due.
func (r *Runner) Send(d time.Duration, attempt func()) {
	due := d <= 0
	if due {
		r.count(+1) // at once, so that Idle after a payment waits for it
	}
	r.After(d, func() {
		if !due {
			r.count(+1)
		}
		defer r.count(-1)
		attempt()
	})
}

func (r *Runner) count(change int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sending == 0 {
		r.idle = make(chan struct{})
	}
	if r.sending += change; r.sending == 0 {
		close(r.idle)
	}
}

// Idle waits until no notification is being sent. Attempts that wait for their
// time don't count.
func (r *Runner) Idle(ctx context.Context) error {
	r.mu.Lock()
	idle := r.idle
	r.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-r.ctx.Done(): // nothing is sent any more
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Post sends a notification and returns the status and the body of the answer, of
// which only the start is read. A receiver has to answer within a time, if that
// isn't 0.
func (r *Runner) Post(url string, header http.Header, body []byte, within time.Duration) (status int, answer []byte, err error) {
	ctx := r.ctx
	if within > 0 {
		late, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("no answer within %s", within))
		defer cancel()
		ctx = late
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header = header
	resp, err := r.client.Do(req)
	if err != nil {
		return 0, nil, cmp.Or(context.Cause(ctx), err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, _ = io.ReadAll(io.LimitReader(resp.Body, MaxBody)) // also so that the connection can be used again
	return resp.StatusCode, answer, nil
}
