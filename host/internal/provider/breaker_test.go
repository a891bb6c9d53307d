package provider

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/paymux/paymux/sdk"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// fails makes a fake answer with an error as data.
func (f *fake) fails(code sdk.Code, outcome pb.Outcome) {
	f.set(func() {
		f.answer = func(context.Context, string) (*pb.Error, error) {
			return &pb.Error{Code: uint32(code), Outcome: outcome, Message: "so it says"}, nil
		}
	})
}

func (f *fake) works() {
	f.set(func() { f.answer = func(context.Context, string) (*pb.Error, error) { return nil, nil } })
}

// A provider that fails again and again isn't asked for a while, which is surely
// without effect; then a few calls see whether it is back. Its notifications are
// read all the time.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{result: &pb.Payment{}}
		p := serve(t, f)
		f.fails(sdk.CodeAcquirerUnavailable, pb.Outcome_OUTCOME_UNSPECIFIED)
		for i := range breakerFailures {
			if state := p.Breaker().State; state != "closed" {
				t.Fatalf("%s after %d failures", state, i)
			}
			_, err := p.Create(t.Context(), sdk.CreateRequest{})
			wantError(t, err, sdk.OutcomeUnknown, sdk.CodeAcquirerUnavailable)
		}
		asked := f.count("Create")
		for _, call := range calls {
			if call.name == "ParseNotification" {
				continue
			}
			err := call.run(t.Context(), p)
			wantError(t, err, sdk.OutcomeNotSent, sdk.CodeAcquirerUnavailable)
			if e := sdk.AsError(err); e.RetryAfter <= 0 || e.RetryAfter > breakerPause || !strings.Contains(e.Message, "so it says") {
				t.Errorf("%s: %v, again after %s", call.name, e, e.RetryAfter)
			}
		}
		f.works()
		if _, err := p.ParseNotification(t.Context(), sdk.HTTPRequest{}); err != nil {
			t.Errorf("a notification wasn't read: %v", err)
		}
		if b := p.Breaker(); f.count("Create") != asked || b.State != "open" || b.Failures != breakerFailures || b.Since.IsZero() || b.Since.Location() != time.UTC || !strings.Contains(b.Error, "so it says") {
			t.Errorf("asked %d times more; %+v", f.count("Create")-asked, b)
		}
		time.Sleep(breakerPause + time.Millisecond)
		for range breakerProbes {
			if _, err := p.Create(t.Context(), sdk.CreateRequest{}); err != nil {
				t.Fatal(err)
			}
		}
		if b := p.Breaker(); b.State != "closed" || b.Error != "" {
			t.Errorf("it works, but: %+v", b)
		}
	})
}

// What says nothing of the acquirer stops nobody: a refused payment, and a
// process that the supervisor is starting again.
func TestBreakerStaysClosed(t *testing.T) {
	f := &fake{result: &pb.Payment{}}
	p := serve(t, f)
	for _, code := range []sdk.Code{sdk.CodeRefused, sdk.CodeOrderNotFound, sdk.CodeAcquirerError, sdk.CodeUnsupported} {
		f.fails(code, pb.Outcome_OUTCOME_REFUSED)
		for range 2 * breakerFailures {
			_, _ = p.Query(t.Context(), sdk.QueryRequest{})
		}
	}
	f.set(func() {
		f.answer = func(context.Context, string) (*pb.Error, error) { return nil, status.Error(codes.Unavailable, "gone") }
	})
	for range 2 * breakerFailures {
		_, err := p.Query(t.Context(), sdk.QueryRequest{})
		wantError(t, err, sdk.OutcomeUnknown, sdk.CodePluginUnavailable)
	}
	if b := p.Breaker(); b.State != "closed" {
		t.Errorf("%+v", b)
	}
}

// judging is services that are told of lies.
type judging struct {
	services
	mu   sync.Mutex
	lies []string
}

func (j *judging) Lied(subject, how string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lies = append(j.lies, subject+": "+how)
}

// Every answer must be about what was asked about; one that isn't, or that
// breaks the contract, is reported. What strangers can provoke isn't.
func TestLiesAreReported(t *testing.T) {
	hkd, _ := sdk.ParseMoney("100.00", "HKD")
	order := sdk.Order{MerchantOrderID: "o1", AcquirerOrderID: "a1", Money: hkd}
	pay := func(change func(*pb.Payment)) *pb.Payment {
		m := &pb.Payment{Order: &pb.Order{MerchantOrderId: "o1", AcquirerOrderId: "a1", Money: &pb.Money{Amount: "100.0", Currency: "HKD"}}}
		change(m)
		return m
	}
	for i, tt := range []struct {
		answer *pb.Payment
		want   string // empty: no lie
	}{
		{pay(func(*pb.Payment) {}), ""},
		{pay(func(m *pb.Payment) { m.Order = nil }), ""}, // it says less, not something else
		{pay(func(m *pb.Payment) { m.Order.MerchantOrderId = "o2" }), "about order o2"},
		{pay(func(m *pb.Payment) { m.Order.AcquirerOrderId = "a2" }), "about the acquirer's order a2"},
		{pay(func(m *pb.Payment) { m.Order.Money.Amount = "1.00" }), "about 1.00 HKD"},
		{pay(func(m *pb.Payment) { m.Order.Money.Currency = "CNY" }), "about 100.00 CNY"},
		{pay(func(m *pb.Payment) { m.Order.Money.Amount = "1e2" }), "breaks the contract"},
		{pay(func(m *pb.Payment) { m.RawStatus = strings.Repeat("x", maxAnswer+1) }), "ResourceExhausted"},
		{nil, "neither a result nor an error"},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			f := &fake{result: tt.answer}
			p := serve(t, f)
			j := &judging{services: p.services.(services)}
			p.services = j
			_, err := p.Create(deadline(t), sdk.CreateRequest{Order: order})
			if err != nil && sdk.AsError(err).Outcome != sdk.OutcomeUnknown {
				t.Errorf("the outcome is said to be %s: %v", sdk.AsError(err).Outcome, err)
			}
			switch {
			case tt.want == "" && len(j.lies) > 0, tt.want != "" && len(j.lies) != 1:
				t.Errorf("reported %q", j.lies)
			case tt.want != "" && (!strings.HasPrefix(j.lies[0], "o1: ") || !strings.Contains(j.lies[0], tt.want)):
				t.Errorf("reported %q, want %q", j.lies, tt.want)
			}
		})
	}
	f := &fake{result: &pb.Payment{}}
	p := serve(t, f)
	j := &judging{services: p.services.(services)}
	p.services = j
	f.set(func() {
		f.answer = func(context.Context, string) (*pb.Error, error) { return nil, status.Error(codes.Internal, "?") }
	})
	if _, err := p.ParseNotification(deadline(t), sdk.HTTPRequest{}); err == nil || len(j.lies) > 0 {
		t.Errorf("a stranger's notification: %v, reported %q", err, j.lies)
	}
}

// A provider with many calls under way keeps no other of the same process
// waiting: each has its own.
func TestBusyProviderIsAlone(t *testing.T) {
	release, begun := make(chan struct{}), make(chan struct{}, 2*concurrency)
	f := &fake{result: &pb.Payment{}}
	busy := serve(t, f)
	quiet := New("quiet", []byte(`{}`), busy.services)
	quiet.configures.Store(1)
	f.set(func() {
		f.answer = func(ctx context.Context, method string) (*pb.Error, error) {
			if method == "Create" {
				begun <- struct{}{}
				<-release
			}
			return nil, nil
		}
	})
	f.digest = busy.instance.GetConfigDigest()
	var all sync.WaitGroup
	defer all.Wait()
	defer close(release)
	for range 2 * concurrency {
		all.Go(func() { _, _ = busy.Create(deadline(t), sdk.CreateRequest{}) })
	}
	for range concurrency {
		<-begun
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	f.set(func() { f.digest = "" })
	if _, err := quiet.Query(ctx, sdk.QueryRequest{}); err != nil {
		t.Errorf("the quiet one: %v", err)
	}
}

// A process that isn't there says nothing of the acquirer, neither good nor bad;
// and the pause counts from the last failure.
func TestBreakerCountsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{result: &pb.Payment{}}
		p := serve(t, f)
		for i := range breakerFailures {
			f.fails(sdk.CodeAcquirerUnavailable, pb.Outcome_OUTCOME_UNSPECIFIED)
			_, _ = p.Query(t.Context(), sdk.QueryRequest{})
			if i == breakerFailures-2 {
				f.set(func() {
					f.answer = func(context.Context, string) (*pb.Error, error) { return nil, status.Error(codes.Unavailable, "gone") }
				})
				_, _ = p.Query(t.Context(), sdk.QueryRequest{})
			}
		}
		if b := p.Breaker(); b.State != "open" {
			t.Errorf("%+v", b)
		}
		time.Sleep(time.Second)
		_, err := p.Query(t.Context(), sdk.QueryRequest{})
		if e := sdk.AsError(err); e == nil || e.RetryAfter != breakerPause-time.Second {
			t.Errorf("%v", err)
		}
	})
}

// Strangers write notifications: none that a plugin fails at stops the next.
func TestNotificationsHaveNoBreaker(t *testing.T) {
	f := &fake{}
	p := serve(t, f)
	f.fails(sdk.CodeAcquirerAnswerInvalid, pb.Outcome_OUTCOME_NOT_SENT)
	for range 2 * breakerFailures {
		_, _ = p.ParseNotification(deadline(t), sdk.HTTPRequest{})
	}
	f.works()
	if _, err := p.ParseNotification(deadline(t), sdk.HTTPRequest{}); err != nil {
		t.Error(err)
	}
}

// The first answer names the acquirer's order, and a plugin may say itself that
// it sent nothing: neither is a lie. A refund's other id is one.
func TestWhatIsNoLie(t *testing.T) {
	j := &judging{}
	p := New("main", nil, j)
	_, _ = p.judged(sdk.Order{MerchantOrderID: "o1"}, sdk.Payment{Order: sdk.Order{MerchantOrderID: "o1", AcquirerOrderID: "a1"}}, nil)
	_, _ = p.judgedRefund("r1", sdk.Refund{MerchantRefundID: "r1"}, nil)
	_, _ = p.judgedRefund("r1", sdk.Refund{}, nil)
	_, _ = p.judged(sdk.Order{}, sdk.Payment{}, sdk.NotSent(sdk.CodePluginAnswerInvalid, "another account"))
	if len(j.lies) != 0 {
		t.Errorf("reported %q", j.lies)
	}
	if _, _ = p.judgedRefund("r1", sdk.Refund{MerchantRefundID: "r2"}, nil); len(j.lies) != 1 {
		t.Errorf("reported %q", j.lies)
	}
}

// TestBreakerNumbers: ten failures in a row open it, whatever says that nobody
// could be asked; after five seconds three calls at once see whether it is over.
func TestBreakerNumbers(t *testing.T) {
	report := func(t *testing.T, b *breaker, n int, err error) {
		t.Helper()
		for i := range n {
			done, stopped := b.allow()
			if stopped != nil {
				t.Fatalf("stopped after %d: %v", i, stopped)
			}
			done(err)
		}
	}
	for _, code := range []sdk.Code{
		sdk.CodeAcquirerUnavailable, sdk.CodeAcquirerTimeout, sdk.CodeAcquirerRateLimited, sdk.CodeAcquirerAnswerInvalid,
		sdk.CodeCredentialsRefused, sdk.CodePluginTimeout, sdk.CodePluginPanic,
	} {
		t.Run(code.Name(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, failed := newBreaker(), sdk.Unknown(code, "so it says")
				report(t, b, 9, failed)
				report(t, b, 1, nil)
				report(t, b, 9, failed)
				report(t, b, 5, sdk.NotSent(sdk.CodePluginUnavailable, "restarting")) // neither a failure nor a success
				report(t, b, 1, failed)
				_, err := b.allow()
				if e := sdk.AsError(err); e == nil || e.Outcome != sdk.OutcomeNotSent || e.Code != code || e.RetryAfter != 5*time.Second {
					t.Fatalf("after ten: %v", err)
				}
				time.Sleep(5*time.Second - time.Millisecond)
				_, err = b.allow()
				if e := sdk.AsError(err); e == nil || e.RetryAfter != time.Second {
					t.Errorf("just before the pause is over: %v", err)
				}
				time.Sleep(2 * time.Millisecond)
				for range 3 {
					if _, err := b.allow(); err != nil {
						t.Errorf("a probe: %v", err)
					}
				}
				if _, err := b.allow(); err == nil {
					t.Error("a fourth probe")
				}
			})
		})
	}
	b := newBreaker()
	for _, code := range []sdk.Code{sdk.CodeRefused, sdk.CodeOrderNotFound, sdk.CodeMismatch, sdk.CodeInvalidRequest} {
		report(t, b, 20, sdk.Refused(code, "the acquirer works"))
	}
}
