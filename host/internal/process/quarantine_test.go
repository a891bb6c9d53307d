package process

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// A plugin that doesn't start again and again isn't started any more, says why,
// and comes back when there is a reason to try: here another binary.
func TestQuarantine(t *testing.T) {
	s := start(t, "exits", func(o *Options) {
		o.policy.budget, o.policy.look = 3, 1e6
	})
	eventually(t, "a quarantine", func() bool { return s.Status().Quarantine != nil })
	st := s.Status()
	if st.State != StateQuarantined || !strings.Contains(st.Quarantine.Reason, "it failed 3 times in a row") || !strings.Contains(st.Quarantine.Reason, "the licence has run out") || !st.Quarantine.Until.After(st.Quarantine.Since) {
		t.Errorf("%+v, %+v", st, st.Quarantine)
	}
	inUTC(t, st.Quarantine.Since, st.Quarantine.Until)
	if n := strings.Count(s.log.String(), "did not start"); n != 3 {
		t.Errorf("it was started %d times", n)
	}
	_, err := s.Service(t.Context())
	if e := sdk.AsError(err); e.Outcome != sdk.OutcomeNotSent || e.Code != sdk.CodePluginUnavailable || !strings.Contains(e.Error(), "quarantined until") ||
		e.RetryAfter < time.Until(st.Quarantine.Until) || e.RetryAfter > s.opts.policy.quarantine {
		t.Errorf("a call: %v", err)
	}
	other := binary(t, "good")
	if err := os.Rename(other, s.opts.Path); err != nil { // it is called exits, and does
		t.Fatal(err)
	}
	eventually(t, "the end of the quarantine", func() bool { return strings.Contains(s.log.String(), "the binary was exchanged") })
	// It is on probation: one failure more, and it is back.
	eventually(t, "the next quarantine", func() bool { return strings.Count(s.log.String(), "plugin is quarantined") == 2 })
	if n := strings.Count(s.log.String(), "did not start"); n != 4 {
		t.Errorf("it was started %d times", n)
	}
	s.Retry()
	eventually(t, "the end of the second", func() bool { return strings.Contains(s.log.String(), "it was asked for") })
}

// A second Retry for one quarantine doesn't end the next.
func TestRetryTwice(t *testing.T) {
	log := &records{}
	p := &Process{
		opts:    Options{Logger: log.logger(), policy: policy{quarantine: 100 * time.Millisecond, look: time.Hour}},
		changed: make(chan struct{}), retry: make(chan struct{}, 1),
	}
	p.retry <- struct{}{}
	p.beQuarantined(t.Context(), "it lied")
	if got := log.String(); !strings.Contains(got, "its time is over") {
		t.Error(got)
	}
}

// What a plugin answers to a health check may hold anything.
func TestHealthIsRedacted(t *testing.T) {
	p := &Process{opts: Options{Redact: redactSecret}}
	p.setHealth(fmt.Errorf("key %s%s", secret, strings.Repeat("x", tailLength)))
	if h := p.health; h.OK || !strings.HasPrefix(h.Error, "key [redacted]x") || len(h.Error) > tailLength+len("…") {
		t.Errorf("%+v", h)
	}
}

// The time of a quarantine ends too.
func TestQuarantineIsOver(t *testing.T) {
	s := start(t, "exits", func(o *Options) {
		o.policy.budget, o.policy.quarantine = 1, 1e6
	})
	eventually(t, "further tries", func() bool { return strings.Count(s.log.String(), "its time is over") >= 2 })
}

// A plugin whose answers break the contract again and again is ended.
func TestLies(t *testing.T) {
	s := start(t, "good", func(o *Options) {
		o.policy.lies, o.policy.look, o.policy.steady = 3, 1e6, 1 // a long life is no excuse
		o.Redact = redactSecret
	})
	s.running(t)
	s.Lied("o1", "once")
	for range 5 {
		s.Lied("o1", "the same order is asked about again")
	}
	s.Lied("o2", "twice")
	if st := s.Status(); !st.Running {
		t.Fatalf("%+v", st)
	}
	s.Lied("o3", "it says that another order was paid: "+secret+strings.Repeat("x", tailLength))
	eventually(t, "a quarantine", func() bool { return s.Status().Quarantine != nil })
	if st := s.Status(); st.Running || !strings.Contains(st.Quarantine.Reason, "3 of its answers broke the contract, the last one so: it says that another order was paid: [redacted]x") || len(st.Quarantine.Reason) > 2*tailLength {
		t.Errorf("%+v", st.Quarantine)
	}
	if got := s.log.String(); strings.Contains(got, secret) || strings.Contains(got, strings.Repeat("x", tailLength)) {
		t.Error(got)
	}
	s.Retry()
	eventually(t, "the end of the quarantine", func() bool { return s.Status().Quarantine == nil })
	service, err := s.Ready(t.Context())
	if err == nil {
		_, err = service.Describe(t.Context(), &pb.DescribeRequest{})
	}
	if err != nil {
		t.Errorf("after the quarantine: %v", err)
	}
	s.Lied("o4", "once more") // its record is clean again
	if why := s.tooManyLies(); why != "" {
		t.Errorf("it is ended for one lie: %s", why)
	}
}

// Lies that lie long back are forgotten.
func TestOldLies(t *testing.T) {
	s := start(t, "good", func(o *Options) { o.policy.lies, o.policy.lieWindow = 2, 1 })
	pid := s.running(t)
	for i := range 10 {
		s.Lied(fmt.Sprint("o", i), "now and then")
	}
	if st := s.Status(); st.PID != pid || st.Quarantine != nil || s.tooManyLies() != "" {
		t.Errorf("%+v, %s", st, s.tooManyLies())
	}
}

// However often a plugin fails, there is a pause before it is started again, and
// not a longer one than the longest.
func TestBackoff(t *testing.T) {
	p := &Process{opts: Options{policy: usual}}
	for failures := range 200 {
		full := usual.longestBackoff
		if failures < 20 {
			full = min(full, usual.firstBackoff<<failures)
		}
		if wait := p.backoff(failures + 1); wait < full/2 || wait > full {
			t.Errorf("%s after %d failures, want %s to %s", wait, failures+1, full/2, full)
		}
	}
}
