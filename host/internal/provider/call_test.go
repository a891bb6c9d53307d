package provider

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/paymux/paymux/sdk"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// A process that doesn't hold the config is given it, and the call is repeated
// once: the first surely had no effect.
func TestNotConfigured(t *testing.T) {
	for _, call := range calls {
		t.Run(call.name, func(t *testing.T) {
			f := &fake{result: &pb.Payment{}}
			p := serve(t, f)
			for range 2 {
				if err := call.run(deadline(t), p); err != nil {
					t.Fatal(err)
				}
			}
			if f.count(call.name) != 3 || f.count("Configure") != 1 {
				t.Errorf("asked %d times and configured %d times, want 3 and 1", f.count(call.name), f.count("Configure"))
			}
			if got := f.configs[0]; string(got.GetConfig()) != `{"uid":"1","key":"s3cret"}` || got.GetInstance().GetName() != "main" {
				t.Errorf("configured with %v", got)
			}
		})
	}
}

// A process that never takes the config is told so once, not for ever.
func TestNotConfiguredAgain(t *testing.T) {
	for _, call := range calls {
		f := &fake{}
		p := serve(t, f)
		f.configured = func(context.Context) (*pb.ConfigureResponse, error) { // says yes and forgets it
			return &pb.ConfigureResponse{Result: &pb.ConfigureResponse_Configured{Configured: &pb.Configured{Account: "a"}}}, nil
		}
		wantError(t, call.run(deadline(t), p), sdk.OutcomeNotSent, sdk.CodeNotConfigured)
		if f.count(call.name) != 2 || f.count("Configure") != 1 {
			t.Errorf("%s: asked %d times, configured %d times, want 2 and 1", call.name, f.count(call.name), f.count("Configure"))
		}
	}
}

// NOT_CONFIGURED with an outcome that doesn't say "surely no effect" contradicts
// itself: the call is not repeated, but the next one finds the config.
func TestNotConfiguredWithDoubt(t *testing.T) {
	for _, outcome := range []pb.Outcome{pb.Outcome_OUTCOME_UNSPECIFIED, pb.Outcome_OUTCOME_REFUSED, 99} {
		f := &fake{result: &pb.Payment{}, digest: "another"}
		p := serve(t, f)
		f.digest = p.instance.GetConfigDigest()
		f.answer = func(context.Context, string) (*pb.Error, error) { return notConfigured(outcome), nil }
		_, err := p.Create(deadline(t), sdk.CreateRequest{})
		if e := sdk.AsError(err); e == nil || e.Outcome == sdk.OutcomeNotSent {
			t.Errorf("outcome %v: %v", outcome, err)
		}
		if f.count("Create") != 1 || f.count("Configure") != 1 {
			t.Errorf("outcome %v: created %d times, configured %d times, want 1 and 1", outcome, f.count("Create"), f.count("Configure"))
		}
	}
}

// After a restart all calls find the process empty at once; one configures.
func TestOneConfigureForAll(t *testing.T) {
	const n = 40
	f := &fake{result: &pb.Payment{}}
	p := serve(t, f)
	var all, arrived sync.WaitGroup
	arrived.Add(n)
	for range n {
		all.Go(func() {
			arrived.Done()
			arrived.Wait()
			if _, err := p.Query(deadline(t), sdk.QueryRequest{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := f.count("Configure"); got != 1 {
		t.Errorf("configured %d times for %d calls", got, n)
	}
}

// Whatever gRPC says instead of an answer, the call was made: its outcome is
// unknown, and it is never made again.
func TestStatusMeansUnknown(t *testing.T) {
	want := map[codes.Code]sdk.Code{
		codes.DeadlineExceeded: sdk.CodePluginTimeout, codes.Canceled: sdk.CodePluginTimeout,
		codes.Unavailable: sdk.CodePluginUnavailable, codes.Unimplemented: sdk.CodeUnimplemented,
	}
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		if want[code] == 0 {
			want[code] = sdk.CodePluginAnswerInvalid
		}
		f := &fake{answer: func(context.Context, string) (*pb.Error, error) { return nil, status.Error(code, "by hand") }}
		p := serve(t, f)
		if _, err := p.Configure(deadline(t)); err != nil {
			t.Fatal(err)
		}
		for _, call := range calls {
			wantError(t, call.run(deadline(t), p), sdk.OutcomeUnknown, want[code])
			if got := f.count(call.name); got != 1 {
				t.Errorf("%s after %s was made %d times", call.name, code, got)
			}
		}
	}
}

// What the plugin puts into words is handed on as it is.
func TestErrorsOfThePlugin(t *testing.T) {
	for _, tt := range []struct {
		said    *pb.Error
		outcome sdk.Outcome
		code    sdk.Code
	}{
		{&pb.Error{Code: uint32(sdk.CodeRefused), Outcome: pb.Outcome_OUTCOME_REFUSED}, sdk.OutcomeRefused, sdk.CodeRefused},
		{&pb.Error{Code: uint32(sdk.CodeAcquirerRateLimited), Outcome: pb.Outcome_OUTCOME_NOT_SENT}, sdk.OutcomeNotSent, sdk.CodeAcquirerRateLimited},
		{&pb.Error{Code: uint32(sdk.CodeAcquirerTimeout)}, sdk.OutcomeUnknown, sdk.CodeAcquirerTimeout},
		{&pb.Error{}, sdk.OutcomeUnknown, sdk.CodeUnspecified},
		{&pb.Error{Code: 9999, Outcome: 99}, sdk.OutcomeUnknown, 9999},
		{&pb.Error{Code: 1<<32 - 1, Outcome: -1}, sdk.OutcomeUnknown, sdk.CodeUnspecified},
	} {
		f := &fake{answer: func(context.Context, string) (*pb.Error, error) { return tt.said, nil }}
		p := serve(t, f)
		for _, call := range calls {
			wantError(t, call.run(deadline(t), p), tt.outcome, tt.code)
			if got := f.count(call.name); got > 2 {
				t.Errorf("%s was made %d times", call.name, got)
			}
		}
	}
}

func TestAnswersThatBreakTheContract(t *testing.T) {
	order := func(amount, currency string) *pb.Order {
		return &pb.Order{Money: &pb.Money{Amount: amount, Currency: currency}}
	}
	for _, tt := range []struct {
		why    string
		result *pb.Payment
		status sdk.Status // if it is an answer all the same
	}{
		{"neither result nor error", nil, 0},
		{"an amount out of the grammar", &pb.Payment{Order: order("1e3", "HKD"), Status: pb.Status_STATUS_SUCCEEDED}, 0},
		{"a currency unheard of", &pb.Payment{Order: order("1.00", "XYZ"), Status: pb.Status_STATUS_SUCCEEDED}, 0},
		{"more than a payment can be", &pb.Payment{Status: pb.Status_STATUS_PENDING, StatusReason: strings.Repeat("x", maxAnswer)}, 0},
		{"a status unheard of", &pb.Payment{Status: 99}, sdk.StatusUnknown},
		{"no status", &pb.Payment{}, sdk.StatusUnknown},
		{"a status that is the host's", &pb.Payment{Status: pb.Status_STATUS_CREATED}, sdk.StatusUnknown},
	} {
		t.Run(tt.why, func(t *testing.T) {
			f := &fake{result: tt.result}
			p := serve(t, f)
			if _, err := p.Configure(deadline(t)); err != nil {
				t.Fatal(err)
			}
			got, err := p.Create(deadline(t), sdk.CreateRequest{})
			if strings.Contains(tt.why, "status") {
				if err != nil || got.Status != tt.status {
					t.Errorf("got %v, %v, want %s", got.Status, err, tt.status)
				}
				return
			}
			wantError(t, err, sdk.OutcomeUnknown, sdk.CodePluginAnswerInvalid)
			if f.count("Create") != 1 {
				t.Errorf("created %d times", f.count("Create"))
			}
		})
	}
}

// A plugin that is too slow has been asked: the outcome is unknown, and the
// limit holds although the caller has none.
func TestTimeLimit(t *testing.T) {
	for _, call := range calls {
		f := &fake{answer: func(ctx context.Context, _ string) (*pb.Error, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		p := serve(t, f)
		p.calls.timeout, p.parses.timeout = 50*time.Millisecond, 50*time.Millisecond
		if _, err := p.Configure(deadline(t)); err != nil {
			t.Fatal(err)
		}
		wantError(t, call.run(context.WithoutCancel(t.Context()), p), sdk.OutcomeUnknown, sdk.CodePluginTimeout)
	}
}

// A context that is over before the call is made surely sends nothing.
func TestNoTimeLeft(t *testing.T) {
	f := &fake{result: &pb.Payment{}}
	p := serve(t, f)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, call := range calls {
		for range 20 { // a free slot and the end of the context come in any order
			wantError(t, call.run(over, p), sdk.OutcomeNotSent, sdk.CodePluginTimeout)
		}
		if f.count(call.name) != 0 {
			t.Errorf("%s was made", call.name)
		}
	}
}

func TestNoProcess(t *testing.T) {
	for _, failure := range []error{
		sdk.NotSent(sdk.CodePluginUnavailable, "restarting"),
		errors.New("an error without an outcome"),
		sdk.Unknown(sdk.CodePluginUnavailable, "an error with the wrong outcome"),
	} {
		p := New("main", nil, services{err: failure})
		for _, call := range calls {
			wantError(t, call.run(t.Context(), p), sdk.OutcomeNotSent, sdk.CodePluginUnavailable)
		}
		_, err := p.Configure(t.Context())
		wantError(t, err, sdk.OutcomeNotSent, sdk.CodePluginUnavailable)
		_, err = Describe(t.Context(), services{err: failure})
		wantError(t, err, sdk.OutcomeNotSent, sdk.CodePluginUnavailable)
	}
}

// With all slots taken by calls that hang, a further one is surely not sent; and
// notifications are still read.
func TestBusy(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	f := &fake{result: &pb.Payment{}, answer: func(_ context.Context, method string) (*pb.Error, error) {
		if method == "Create" {
			entered <- struct{}{}
			<-release
		}
		return nil, nil
	}}
	p := serve(t, f)
	if _, err := p.Configure(deadline(t)); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	for range concurrency {
		running.Go(func() {
			if _, err := p.Create(deadline(t), sdk.CreateRequest{}); err != nil {
				t.Error(err)
			}
		})
	}
	for range concurrency {
		<-entered
	}
	p.calls.wait = 20 * time.Millisecond
	_, err := p.Create(deadline(t), sdk.CreateRequest{})
	wantError(t, err, sdk.OutcomeNotSent, sdk.CodePluginTimeout)
	if _, err := p.ParseNotification(deadline(t), sdk.HTTPRequest{}); err != nil {
		t.Errorf("notifications wait for the acquirer: %v", err)
	}
	close(release)
	running.Wait()
	if got := f.count("Create"); got != concurrency {
		t.Errorf("created %d times, want %d", got, concurrency)
	}
	f.set(func() { f.answer = nil })
	if _, err := p.Create(deadline(t), sdk.CreateRequest{}); err != nil { // the slots are free again
		t.Error(err)
	}
}

// A provider whose account nobody has looked at isn't asked anything: after a
// change of its config an old payment would be asked about at another account,
// and be called lost there.
func TestNotSetUp(t *testing.T) {
	for _, call := range calls {
		f := &fake{result: &pb.Payment{}}
		p := serve(t, f)
		p.configures.Store(0)
		wantError(t, call.run(deadline(t), p), sdk.OutcomeNotSent, sdk.CodePluginUnavailable)
		if f.count(call.name) != 0 || f.count("Configure") != 0 {
			t.Errorf("%s: asked %d times, configured %d times", call.name, f.count(call.name), f.count("Configure"))
		}
		if _, err := p.Configure(deadline(t)); err != nil {
			t.Fatal(err)
		}
		if err := call.run(deadline(t), p); err != nil {
			t.Errorf("%s, set up: %v", call.name, err)
		}
	}
}
