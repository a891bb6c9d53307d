package plugin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/plugin"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

func init() { hclog.SetDefault(hclog.NewNullLogger()) } // the panics below are meant

// expect requires an error as data: never a gRPC status.
func expect(t *testing.T, what string, err error, code sdk.Code, outcome sdk.Outcome) *sdk.Error {
	t.Helper()
	var e *sdk.Error
	if !errors.As(err, &e) || e.Code != code || e.Outcome != outcome {
		t.Fatalf("%s: %v, want %s with outcome %s", what, err, code.Name(), outcome)
	}
	return e
}

func TestEveryMethodAnswers(t *testing.T) {
	f := &fake{}
	client := configured(t, definition(opener(f, true)))
	for name, call := range calls(client, main, "1") {
		if err := call(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := f.calls.Load(); n != 7 {
		t.Errorf("%d calls came through", n)
	}
}

// Every call runs in its caller's time: without it a provider would go on for a
// host that has given up.
func TestDeadlineReachesTheProvider(t *testing.T) {
	var missing []string
	look := func(ctx context.Context, method string) {
		if _, ok := ctx.Deadline(); !ok {
			missing = append(missing, method)
		}
	}
	open := opener(&fake{seen: look}, true)
	client := dial(t, definition(func(ctx context.Context, c sdk.Config) (sdk.Provider, error) {
		look(ctx, "Open")
		return open(ctx, c)
	}))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if r, err := client.Configure(ctx, &pb.ConfigureRequest{Instance: main, Config: config("u1")}); err != nil || r.GetConfigured() == nil {
		t.Fatal(r, err)
	}
	for name, call := range calls(client, main, "1") {
		if err := call(ctx); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if missing != nil {
		t.Errorf("without a deadline: %q", missing)
	}
}

// A method that is added to the proto must be answered by this server, not by
// the embedded one, whose gRPC status would mean an unknown outcome.
func TestEveryRPCIsImplemented(t *testing.T) {
	server, err := plugin.NewServer(definition(opener(&fake{}, true)))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range pb.ProviderService_ServiceDesc.Methods {
		method := reflect.ValueOf(server).MethodByName(m.MethodName)
		out := method.Call([]reflect.Value{reflect.ValueOf(t.Context()), reflect.New(method.Type().In(1).Elem())})
		if err, _ := out[1].Interface().(error); status.Code(err) == codes.Unimplemented || err != nil {
			t.Errorf("%s: %v; implement it in call.go", m.MethodName, err)
		}
	}
	if len(pb.ProviderService_ServiceDesc.Streams) != 0 {
		t.Error("streams are no part of the protocol")
	}
}

func TestNotConfigured(t *testing.T) {
	f := &fake{}
	client := configured(t, definition(opener(f, true)))
	for _, in := range []*pb.Instance{nil, {}, {Name: "main"}, {Name: "main", ConfigDigest: "d2"}, {Name: "other", ConfigDigest: "d1"}} {
		for name, call := range calls(client, in, "1") {
			expect(t, fmt.Sprintf("%s on %v", name, in), call(t.Context()), sdk.CodeNotConfigured, sdk.OutcomeNotSent)
		}
	}
	if f.calls.Load() != 0 {
		t.Error("a provider was called")
	}
}

func TestBadAmountNeverReachesTheProvider(t *testing.T) {
	f := &fake{}
	client := configured(t, definition(opener(f, true)))
	for _, amount := range []string{"", "0", "-1", "1e3", "1.005", "NaN"} {
		for name, call := range calls(client, main, amount) {
			if name != "Authorize" && name != "ParseNotification" {
				expect(t, name+" "+amount, call(t.Context()), sdk.CodeInvalidRequest, sdk.OutcomeNotSent)
			}
		}
	}
	if f.calls.Load() != 0 {
		t.Error("a provider was called")
	}
}

func TestOptionalMethods(t *testing.T) {
	for _, optional := range []bool{false, true} {
		client := dial(t, definition(opener(&fake{}, optional)))
		answer, err := client.Configure(t.Context(), &pb.ConfigureRequest{Instance: main, Config: config("u1")})
		if err != nil {
			t.Fatal(err)
		}
		c, err := wire.ConfiguredAnswer(answer)
		if err != nil || c.GetRefunds() != optional || c.GetCancels() != optional || c.GetAccount() != "u1" {
			t.Errorf("optional %t: %v, %v", optional, c, err)
		}
		for _, name := range []string{"Cancel", "Refund", "QueryRefund"} {
			err := calls(client, main, "1")[name](t.Context())
			if optional && err != nil {
				t.Errorf("%s: %v", name, err)
			} else if !optional {
				expect(t, name, err, sdk.CodeUnimplemented, sdk.OutcomeNotSent)
			}
		}
	}
}

func TestConfigureRefuses(t *testing.T) {
	opened := false
	client := dial(t, definition(func(context.Context, sdk.Config) (sdk.Provider, error) {
		opened = true
		return nil, nil
	}))
	configure := func(in *pb.Instance, config string) error {
		r, err := client.Configure(t.Context(), &pb.ConfigureRequest{Instance: in, Config: []byte(config)})
		return result(err, func() error { _, err := wire.ConfiguredAnswer(r); return err })
	}
	for _, config := range []string{``, `[]`, `{}`, `{"uid":1}`} { // whatever the host let through: it names no account
		expect(t, config, configure(main, config), sdk.CodeInvalidConfig, sdk.OutcomeNotSent)
	}
	expect(t, "an empty account", configure(main, `{"uid":""}`), sdk.CodeInvalidConfig, sdk.OutcomeNotSent)
	for _, in := range []*pb.Instance{nil, {Name: "main"}, {ConfigDigest: "d1"}} {
		expect(t, in.String(), configure(in, `{"uid":"u"}`), sdk.CodeInvalidRequest, sdk.OutcomeNotSent)
	}
	if opened {
		t.Error("Open was called with a config that names no account")
	}
	expect(t, "no provider", configure(main, `{"uid":"u"}`), sdk.CodeUnspecified, sdk.OutcomeUnknown)
}

// A config that is refused leaves the one before in its place.
func TestRefusedConfigKeepsTheOld(t *testing.T) {
	client := configured(t, definition(opener(&fake{}, false)))
	r, err := client.Configure(t.Context(), &pb.ConfigureRequest{Instance: &pb.Instance{Name: "main", ConfigDigest: "d2"}, Config: []byte(`{}`)})
	if err != nil || r.GetError() == nil {
		t.Fatal(r, err)
	}
	if err := calls(client, main, "1")["Create"](t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPanicHarmsItsCallOnly(t *testing.T) {
	panicking := true
	f := &fake{fail: func(string) error {
		if panicking {
			panic(errors.New("at " + secret))
		}
		return nil
	}}
	client := configured(t, definition(opener(f, true)))
	for name, call := range calls(client, main, "1") {
		e := expect(t, name, call(t.Context()), sdk.CodePluginPanic, sdk.OutcomeUnknown)
		if strings.Contains(e.Error(), "s3cret") {
			t.Errorf("%s: %v", name, e)
		}
	}
	panicking = false
	for name, call := range calls(client, main, "1") {
		if err := call(t.Context()); err != nil {
			t.Errorf("%s after the panics: %v", name, err)
		}
	}
}

// What a panic says may hold a payer's data: it stays out of the answer and the log.
func TestPanicSaysNothing(t *testing.T) {
	var log bytes.Buffer
	before := hclog.SetDefault(hclog.New(&hclog.LoggerOptions{Output: &log}))
	t.Cleanup(func() { hclog.SetDefault(before) })
	client := configured(t, definition(opener(&fake{fail: func(string) error { panic(errors.New("of payer 4711")) }}, true)))
	e := expect(t, "Create", calls(client, main, "1")["Create"](t.Context()), sdk.CodePluginPanic, sdk.OutcomeUnknown)
	if strings.Contains(e.Error(), "4711") || strings.Contains(log.String(), "4711") || !strings.Contains(log.String(), "server_test.go") {
		t.Errorf("%v; the log has %s", e, log.String())
	}
}

func TestProviderErrors(t *testing.T) {
	var fails error
	client := configured(t, definition(opener(&fake{fail: func(string) error { return fails }}, true)))
	for _, c := range []struct {
		err     error
		code    sdk.Code
		outcome sdk.Outcome
	}{
		{sdk.Refused(sdk.CodeRefused, "no"), sdk.CodeRefused, sdk.OutcomeRefused},
		{sdk.NotSent(sdk.CodeAcquirerRateLimited, "slow"), sdk.CodeAcquirerRateLimited, sdk.OutcomeNotSent},
		{fmt.Errorf("create: %w", sdk.NotSent(sdk.CodeAcquirerUnavailable, "dial")), sdk.CodeAcquirerUnavailable, sdk.OutcomeNotSent},
		{errors.New("boom"), sdk.CodeUnspecified, sdk.OutcomeUnknown},
		{context.DeadlineExceeded, sdk.CodeUnspecified, sdk.OutcomeUnknown},
		{status.Error(codes.Unavailable, "gRPC means nothing here"), sdk.CodeUnspecified, sdk.OutcomeUnknown},
		{(*sdk.Error)(nil), sdk.CodeUnspecified, sdk.OutcomeUnknown},
		{&sdk.Error{Code: sdk.CodeRefused, Outcome: 99}, sdk.CodeRefused, sdk.OutcomeUnknown},
	} {
		fails = c.err
		for name, call := range calls(client, main, "1") {
			expect(t, fmt.Sprintf("%s with %T", name, c.err), call(t.Context()), c.code, c.outcome)
		}
	}
}

func TestSecretsAreRedacted(t *testing.T) {
	quoted := fmt.Sprintf("%q", secret)
	inJSON, _ := json.Marshal(secret)
	forms := map[string]string{
		"plain": secret, "query": url.QueryEscape(secret), "path": url.PathEscape(secret), "quoted": quoted, "JSON": string(inJSON),
		"lower hex": strings.NewReplacer("%2F", "%2f", "%2B", "%2b").Replace(url.QueryEscape(secret)),
		"url.Error": (&url.Error{Op: "Get", URL: "https://a.example/token?secret=" + url.QueryEscape(secret), Err: errors.New("refused")}).Error(),
	}
	var fails error
	open := opener(&fake{fail: func(string) error { return fails }}, true)
	client := configured(t, definition(open))
	failing := dial(t, definition(func(context.Context, sdk.Config) (sdk.Provider, error) { return nil, fails }))
	panicking := dial(t, definition(func(context.Context, sdk.Config) (sdk.Provider, error) { panic(fails) }))
	for name, form := range forms {
		text := "at " + form + "!"
		fails = &sdk.Error{Code: sdk.CodeAcquirerError, Message: text, Field: text, AcquirerCode: text, AcquirerRequestID: text}
		errs := map[string]error{"plain error": nil}
		for method, call := range calls(client, main, "1") {
			errs[method] = call(t.Context())
		}
		for how, c := range map[string]pb.ProviderServiceClient{"Open fails": failing, "Open panics": panicking} {
			r, err := c.Configure(t.Context(), &pb.ConfigureRequest{Instance: main, Config: config("u1")})
			errs[how] = result(err, func() error { _, err := wire.ConfiguredAnswer(r); return err })
		}
		fails = errors.New(text)
		errs["plain error"] = calls(client, main, "1")["Create"](t.Context())
		for how, err := range errs {
			if err == nil || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s, %s: %v", name, how, err)
			} else if how != "Open panics" && !strings.Contains(err.Error(), "[redacted]") {
				t.Errorf("%s, %s: the rest of the text is lost: %v", name, how, err)
			}
		}
	}
}

func TestConcurrentCallsAndReconfigure(t *testing.T) {
	const callers, rounds = 64, 8
	client := configured(t, definition(opener(&fake{}, true)))
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			uid := fmt.Sprintf("u%d", i%4)
			in := &pb.Instance{Name: "shared", ConfigDigest: "digest-" + uid}
			order := &pb.Order{MerchantOrderId: "m1", Money: &pb.Money{Amount: "1", Currency: "HKD"}}
			for range rounds {
				if r, err := client.Configure(t.Context(), &pb.ConfigureRequest{Instance: in, Config: config(uid)}); err != nil || r.GetConfigured() == nil {
					t.Errorf("configure: %v, %v", r, err)
					return
				}
				r, err := client.Create(t.Context(), &pb.CreateRequest{Instance: in, Order: order})
				if err != nil {
					t.Error(err)
					return
				}
				p, err := wire.PaymentAnswer(r)
				// Another caller may have replaced the config; then nothing ran.
				if err != nil && !sdk.IsCode(err, sdk.CodeNotConfigured) || err == nil && p.RawStatus != uid {
					t.Errorf("a call for %s ran on %q: %v", uid, p.RawStatus, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestDescribe(t *testing.T) {
	p := definition(opener(&fake{}, false))
	r, err := dial(t, p).Describe(t.Context(), &pb.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := wire.DescriptionFromProto(r)
	if err != nil || !reflect.DeepEqual(d, wire.Description{Info: p.Info, ConfigSchema: p.ConfigSchema, Capabilities: p.Capabilities}) {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestNewServerRefuses(t *testing.T) {
	hkd, _ := sdk.ParseMoney("2", "HKD")
	less, _ := sdk.ParseMoney("1", "HKD")
	cny, _ := sdk.ParseMoney("1", "CNY")
	zero, _ := sdk.Zero("HKD")
	row := func(change func(*sdk.Capability)) func(*sdk.Plugin) {
		return func(p *sdk.Plugin) { change(&p.Capabilities.Rows[0]) }
	}
	for name, c := range map[string]struct {
		spoil func(*sdk.Plugin)
		says  string
	}{
		"no name":         {func(p *sdk.Plugin) { p.Info.Name = "" }, "Name"},
		"name in capital": {func(p *sdk.Plugin) { p.Info.Name = "Fake" }, "Name"},
		"long name":       {func(p *sdk.Plugin) { p.Info.Name = strings.Repeat("a", 33) }, "Name"},
		"no version":      {func(p *sdk.Plugin) { p.Info.Version = "" }, "Version"},
		"no Open":         {func(p *sdk.Plugin) { p.Open = nil }, "Open"},
		"no schema":       {func(p *sdk.Plugin) { p.ConfigSchema = "" }, "schema"},
		"no rows":         {func(p *sdk.Plugin) { p.Capabilities.Rows = nil }, "no rows"},
		"no query key":    {func(p *sdk.Plugin) { p.Capabilities.QueryKeys = nil }, "QueryKeys"},
		"row twice":       {func(p *sdk.Plugin) { p.Capabilities.Rows = append(p.Capabilities.Rows, p.Capabilities.Rows[0]) }, "twice"},
		"method":          {row(func(r *sdk.Capability) { r.Method = "visa" }), "unheard of"},
		"flow":            {row(func(r *sdk.Capability) { r.Flow = "" }), "unheard of"},
		"currency":        {row(func(r *sdk.Capability) { r.Currency = "hkd" }), "currency"},
		"action":          {row(func(r *sdk.Capability) { r.Actions = []sdk.ActionType{"dance"} }), "dance"},
		"bound elsewhere": {row(func(r *sdk.Capability) { r.Max = cny }), "in HKD"},
		"bound of zero":   {row(func(r *sdk.Capability) { r.Max = zero }), "greater than zero"},
		"min above max":   {row(func(r *sdk.Capability) { r.Min, r.Max = hkd, less }), "greater than Max"},
	} {
		p := definition(opener(&fake{}, false))
		c.spoil(&p)
		if _, err := plugin.NewServer(p); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want it to say %q", name, err, c.says)
		}
	}
}
