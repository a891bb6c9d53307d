package process

import (
	"fmt"
	"os"
	"strings"
	"testing"

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
	if e := sdk.AsError(err); e.Outcome != sdk.OutcomeNotSent || e.Code != sdk.CodePluginUnavailable || !strings.Contains(e.Error(), "quarantined until") || e.RetryAfter <= 0 {
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

// The time of a quarantine ends too.
func TestQuarantineIsOver(t *testing.T) {
	s := start(t, "exits", func(o *Options) {
		o.policy.budget, o.policy.quarantine = 1, 1e6
	})
	eventually(t, "further tries", func() bool { return strings.Count(s.log.String(), "its time is over") >= 2 })
}

// A plugin whose answers break the contract again and again is ended.
func TestLies(t *testing.T) {
	s := start(t, "good", func(o *Options) { o.policy.lies, o.policy.look = 3, 1e6 })
	s.running(t)
	s.Lied("o1", "once")
	for range 5 {
		s.Lied("o1", "the same order is asked about again")
	}
	s.Lied("o2", "twice")
	if st := s.Status(); !st.Running {
		t.Fatalf("%+v", st)
	}
	s.Lied("o3", "it says that another order was paid")
	eventually(t, "a quarantine", func() bool { return s.Status().Quarantine != nil })
	if st := s.Status(); st.Running || !strings.Contains(st.Quarantine.Reason, "3 of its answers broke the contract, the last one so: it says that another order was paid") {
		t.Errorf("%+v", st.Quarantine)
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
	if !s.Status().Running {
		t.Error("it was ended for one lie")
	}
}

// Lies that lie long back are forgotten.
func TestOldLies(t *testing.T) {
	s := start(t, "good", func(o *Options) { o.policy.lies, o.policy.lieWindow = 2, 1 })
	pid := s.running(t)
	for i := range 10 {
		s.Lied(fmt.Sprint("o", i), "now and then")
	}
	if st := s.Status(); st.PID != pid || st.Quarantine != nil {
		t.Errorf("%+v", st)
	}
}
