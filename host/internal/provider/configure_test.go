package provider

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/paymux/paymux/sdk"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

func TestConfigure(t *testing.T) {
	f := &fake{}
	p := serve(t, f)
	got, err := p.Configure(deadline(t))
	if want := (Configured{Account: "account-1", Refunds: true}); got != want || err != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Should Configure fail in place of a call, the call was surely not made,
// whatever became of Configure.
func TestConfigureFails(t *testing.T) {
	answer := func(failed *pb.Error) func(context.Context) (*pb.ConfigureResponse, error) {
		return func(context.Context) (*pb.ConfigureResponse, error) {
			return &pb.ConfigureResponse{Result: &pb.ConfigureResponse_Error{Error: failed}}, nil
		}
	}
	for _, tt := range []struct {
		why        string
		configured func(context.Context) (*pb.ConfigureResponse, error)
		code       sdk.Code
	}{
		{"the config is refused", answer(&pb.Error{Code: uint32(sdk.CodeInvalidConfig), Outcome: pb.Outcome_OUTCOME_REFUSED}), sdk.CodeInvalidConfig},
		{"the adapter panics", answer(&pb.Error{Code: uint32(sdk.CodePluginPanic)}), sdk.CodePluginPanic},
		{"the process ends", func(context.Context) (*pb.ConfigureResponse, error) {
			return nil, status.Error(codes.Unavailable, "gone")
		}, sdk.CodePluginUnavailable},
		{"no account is named", func(context.Context) (*pb.ConfigureResponse, error) {
			return &pb.ConfigureResponse{Result: &pb.ConfigureResponse_Configured{Configured: &pb.Configured{}}}, nil
		}, sdk.CodePluginAnswerInvalid},
		{"nothing is said", func(context.Context) (*pb.ConfigureResponse, error) { return &pb.ConfigureResponse{}, nil }, sdk.CodePluginAnswerInvalid},
	} {
		t.Run(tt.why, func(t *testing.T) {
			f := &fake{configured: tt.configured}
			p := serve(t, f)
			for _, call := range calls {
				wantError(t, call.run(deadline(t), p), sdk.OutcomeNotSent, tt.code)
				if f.count(call.name) != 1 {
					t.Errorf("%s was repeated without a config", call.name)
				}
			}
		})
	}
}

// Payments are tied to an account. A process that names another one for the same
// config gets no call, until it names the right one again.
func TestAccountMoves(t *testing.T) {
	f := &fake{result: &pb.Payment{}}
	p := serve(t, f)
	if _, err := p.Configure(deadline(t)); err != nil {
		t.Fatal(err)
	}
	f.set(func() { f.digest, f.account = "", "account-2" }) // started again, as another build
	for i := range 3 {
		_, err := p.Create(deadline(t), sdk.CreateRequest{})
		wantError(t, err, sdk.OutcomeNotSent, sdk.CodePluginAnswerInvalid)
		if !strings.Contains(err.Error(), "account-1") || !strings.Contains(err.Error(), "account-2") {
			t.Errorf("the error must name both accounts: %v", err)
		}
		// The first is answered NOT_CONFIGURED; then the process holds the
		// config of the other account and would take the order.
		if got := f.count("Create"); got != 1 {
			t.Fatalf("call %d reached the other account: %d Creates", i, got)
		}
	}
	if _, err := p.Configure(deadline(t)); sdk.AsError(err).Outcome != sdk.OutcomeNotSent {
		t.Errorf("Configure took the other account: %v", err)
	}
	// Nor does a Configure that another call made meanwhile make up for it.
	service, _ := p.services.Service(t.Context())
	if err := p.configureAgain(deadline(t), service, p.configures.Load()-1); err == nil {
		t.Error("an earlier Configure was taken for one of the right account")
	}
	f.set(func() { f.account = "account-1" })
	before := f.count("Configure")
	for range 3 {
		if _, err := p.Create(deadline(t), sdk.CreateRequest{}); err != nil {
			t.Errorf("the right account is back: %v", err)
		}
	}
	if got := f.count("Configure") - before; got != 1 {
		t.Errorf("configured %d times after the right account was back", got)
	}
}

func TestDescribe(t *testing.T) {
	p := serve(t, &fake{}) // lacks Describe
	_, err := Describe(deadline(t), p.services)
	wantError(t, err, sdk.OutcomeUnknown, sdk.CodeUnimplemented)
}

// The digest tells configs apart within this process, and tells nobody else
// anything: a plain hash of a short secret could be guessed.
func TestInstanceDigest(t *testing.T) {
	digest := func(config string) string { return New("a", []byte(config), services{}).instance.GetConfigDigest() }
	first, same, other := digest(`{"pin":"1234"}`), digest(`{"pin":"1234"}`), digest(`{"pin":"1235"}`)
	if first != same {
		t.Error("it changes without the config")
	}
	if first == other {
		t.Error("it stays although the config changed")
	}
	if got := digest(`1234`); len(got) != 64 || got == "03ac674216f3e15c761ee1a5e255f067953623c8b388b4459e13f978d7c846f4" {
		t.Errorf("%q is the sha256 of the config, or no digest", got)
	}
	config := []byte(`{"pin":"1234"}`)
	f := &fake{}
	p := serve(t, f)
	p = New("a", config, p.services)
	config[8] = '9' // the caller may use its bytes again
	if _, err := p.Configure(deadline(t)); err != nil || string(f.configs[0].GetConfig()) != `{"pin":"1234"}` {
		t.Errorf("sent %s, %v", f.configs[0].GetConfig(), err)
	}
}
