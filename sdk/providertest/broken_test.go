package providertest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

// broken is the good provider with some methods replaced.
type broken struct {
	*provider
	authorize   func(context.Context) (sdk.Grant, error)
	create      func(context.Context, sdk.CreateRequest) (sdk.Payment, error)
	query       func(context.Context, sdk.QueryRequest) (sdk.Payment, error)
	cancel      func(context.Context, sdk.CancelRequest) (sdk.Payment, error)
	giveBack    func(context.Context, sdk.RefundRequest) (sdk.Refund, error)
	queryRefund func(context.Context, sdk.RefundQuery) (sdk.Refund, error)
	parse       func(context.Context, sdk.HTTPRequest) (sdk.Notification, error)

	mu   sync.Mutex
	seen map[string]int
}

func (b *broken) Authorize(ctx context.Context) (sdk.Grant, error) { return b.authorize(ctx) }
func (b *broken) Create(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
	return b.create(ctx, r)
}
func (b *broken) Query(ctx context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
	return b.query(ctx, r)
}
func (b *broken) Cancel(ctx context.Context, r sdk.CancelRequest) (sdk.Payment, error) {
	return b.cancel(ctx, r)
}
func (b *broken) Refund(ctx context.Context, r sdk.RefundRequest) (sdk.Refund, error) {
	return b.giveBack(ctx, r)
}
func (b *broken) QueryRefund(ctx context.Context, r sdk.RefundQuery) (sdk.Refund, error) {
	return b.queryRefund(ctx, r)
}
func (b *broken) ParseNotification(ctx context.Context, r sdk.HTTPRequest) (sdk.Notification, error) {
	return b.parse(ctx, r)
}

// count says how often something was seen before.
func (b *broken) count(what string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen[what]++
	return b.seen[what] - 1
}

// breaking returns the good plugin with its providers changed by f.
func breaking(f func(b *broken)) func(sdk.Plugin) sdk.Plugin {
	return func(p sdk.Plugin) sdk.Plugin {
		open := p.Open
		p.Open = func(ctx context.Context, c sdk.Config) (sdk.Provider, error) {
			opened, err := open(ctx, c)
			if err != nil {
				return nil, err
			}
			inner := opened.(*provider)
			b := &broken{provider: inner, seen: map[string]int{}}
			b.authorize, b.create, b.query, b.cancel = inner.Authorize, inner.Create, inner.Query, inner.Cancel
			b.giveBack, b.queryRefund, b.parse = inner.Refund, inner.QueryRefund, inner.ParseNotification
			f(b)
			return b, nil
		}
		return p
	}
}

// says changes the errors of the three calls that have an effect.
func says(change func(op string, e *sdk.Error)) func(sdk.Plugin) sdk.Plugin {
	with := func(op string, err error) error {
		if err == nil {
			return nil
		}
		e := *sdk.AsError(err)
		change(op, &e)
		return &e
	}
	return breaking(func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			p, err := b.provider.Create(ctx, r)
			return p, with("create", err)
		}
		b.giveBack = func(ctx context.Context, r sdk.RefundRequest) (sdk.Refund, error) {
			p, err := b.provider.Refund(ctx, r)
			return p, with("refund", err)
		}
	})
}

// answers changes what Query says.
func answers(change func(b *broken, r sdk.QueryRequest, p *sdk.Payment, err error) error) func(sdk.Plugin) sdk.Plugin {
	return breaking(func(b *broken) {
		b.query = func(ctx context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
			p, err := b.provider.Query(ctx, r)
			err = change(b, r, &p, err)
			return p, err
		}
	})
}

// asks changes what Create is asked for, and what it says of it.
func asks(change func(b *broken, r *sdk.CreateRequest) (after func(*sdk.Payment, error) error)) func(sdk.Plugin) sdk.Plugin {
	return breaking(func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			after := change(b, &r)
			p, err := b.provider.Create(ctx, r)
			if after != nil {
				err = after(&p, err)
			}
			return p, err
		}
	})
}

// reads changes how notifications are read.
func reads(change func(b *broken, r sdk.HTTPRequest, n sdk.Notification, err error) (sdk.Notification, error)) func(sdk.Plugin) sdk.Plugin {
	return breaking(func(b *broken) {
		b.parse = func(ctx context.Context, r sdk.HTTPRequest) (sdk.Notification, error) {
			n, err := b.provider.ParseNotification(ctx, r)
			return change(b, r, n, err)
		}
	})
}

func failedIDs(results []rules.Result) (ids []string, text string) {
	for _, r := range results {
		if r.Verdict == rules.Fail {
			ids = append(ids, r.ID)
			text += fmt.Sprintf("\n%s: %s", r.ID, strings.Join(r.Details, "; "))
		}
	}
	return ids, text
}

// Each broken provider is caught by the case that is meant for it, and by no
// other unless the mistake can't be made without: so a case that passes says
// something, and one that fails says what.
func TestBroken(t *testing.T) {
	providertest.SetDeadline(t, 150*time.Millisecond)
	results, errs := make([][]rules.Result, len(mutants)), make([]error, len(mutants))
	check := func(i int) {
		results[i], errs[i] = providertest.Check(t.Context(), harness(mutants[i].breaks(good())), nil)
	}
	var all sync.WaitGroup
	slots := make(chan struct{}, 8) // they mostly wait: t.Parallel has fewer
	for i, m := range mutants {
		if m.caught == "secret/log" { // it would be in the others' logs
			all.Wait()
			check(i)
			continue
		}
		slots <- struct{}{}
		all.Go(func() { check(i); <-slots })
	}
	all.Wait()
	for i, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			if errs[i] != nil {
				t.Fatal(errs[i])
			}
			got, why := failedIDs(results[i])
			want := strings.Fields(m.caught)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("caught by %q, want %q%s", got, want, why)
			}
		})
	}
}

// An acquirer may say its final no by a status.
func TestRefusedByStatus(t *testing.T) {
	no := func(err error) bool { return err != nil && sdk.AsError(err).Outcome == sdk.OutcomeRefused }
	h := harness(breaking(func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			p, err := b.provider.Create(ctx, r)
			if no(err) {
				return sdk.Payment{Order: r.Order, Status: sdk.StatusFailed}, nil
			}
			return p, err
		}
		b.giveBack = func(ctx context.Context, r sdk.RefundRequest) (sdk.Refund, error) {
			f, err := b.provider.Refund(ctx, r)
			if no(err) {
				return sdk.Refund{MerchantRefundID: r.MerchantRefundID, Status: sdk.RefundFailed}, nil
			}
			return f, err
		}
	})(good()))
	h.Only = func(id string) bool { return strings.HasPrefix(id, "outcome/") }
	providertest.Run(t, h)
}

// Every case can fail: some broken provider is there for it. For what only a
// process can do wrong it is in package conformance.
func TestEveryCaseCanFail(t *testing.T) {
	caught := map[string]bool{}
	for _, m := range mutants {
		caught[strings.Fields(m.caught)[0]] = true
	}
	for _, c := range providertest.Cases() {
		if !caught[c.ID] && !strings.HasPrefix(c.ID, "chaos/") {
			t.Errorf("no broken provider is caught by %s", c.ID)
		}
		delete(caught, c.ID)
	}
	for id := range caught {
		t.Errorf("there is no case %s", id)
	}
}

// What a harness doesn't have is skipped and said; nothing fails for it.
func TestSmallHarness(t *testing.T) {
	h := harness(good())
	start := h.Start
	h.Start = func(t *rules.T, s providertest.Setup) providertest.Sandbox {
		full := start(t, s)
		return providertest.Sandbox{URL: full.URL, Config: full.Config, Op: full.Op, Pay: full.Pay}
	}
	results, err := providertest.Check(t.Context(), h, nil)
	if err != nil {
		t.Fatal(err)
	}
	tally := rules.Count(results)
	if tally.Failed > 0 || tally.Skipped < 10 || tally.Passed < 50 {
		_, why := failedIDs(results)
		t.Errorf("%s%s", tally, why)
	}
	for _, r := range results {
		if r.Verdict == rules.Skip && len(r.Details) == 0 {
			t.Errorf("%s is skipped and doesn't say why", r.ID)
		}
	}
}

// A lost order may wait for a second request, as long as nobody is sent to pay it.
func TestUnpayable(t *testing.T) {
	providertest.SetDeadline(t, 150*time.Millisecond)
	silent := answers(func(_ *broken, _ sdk.QueryRequest, p *sdk.Payment, err error) error {
		p.NextActions = nil
		return err
	})
	sending := answers(func(_ *broken, _ sdk.QueryRequest, p *sdk.Payment, err error) error {
		p.NextActions = []sdk.NextAction{{Type: sdk.ActionRedirect, URL: "https://bank.example.com/pay"}}
		return err
	})
	for _, tt := range []struct {
		name   string
		plugin sdk.Plugin
		pay    error
		want   rules.Verdict
	}{
		{"nobody is asked", silent(good()), fmt.Errorf("order: %w", providertest.ErrUnpayable), rules.Pass},
		{"the payer is sent to pay", sending(good()), providertest.ErrUnpayable, rules.Fail},
		{"paying fails for another reason", silent(good()), errBroken, rules.Fail},
	} {
		h := harness(tt.plugin)
		h.Start = func(t *rules.T, s providertest.Setup) providertest.Sandbox {
			sandbox := startBank(t, s).sandbox()
			sandbox.Pay = func(string) error { return tt.pay }
			return sandbox
		}
		results, err := providertest.Check(t.Context(), h, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.ID == "retry/found" && r.Verdict != tt.want {
				t.Errorf("%s: %v %q", tt.name, r.Verdict, r.Details)
			}
		}
	}
}

// On a busy machine a request can come after the kit has made the call again. So
// the kit, not the provider, has done it twice.
func TestLateRequest(t *testing.T) {
	providertest.SetDeadline(t, 150*time.Millisecond)
	h := harness(good())
	h.Only = func(id string) bool { return id == "outcome/timeout" }
	h.Start = func(t *rules.T, s providertest.Setup) providertest.Sandbox {
		b := startBank(t, s)
		b.anew = true
		sandbox := b.sandbox()
		var creates atomic.Int64
		again := make(chan struct{})
		sandbox.Op = func(r *http.Request) providertest.Op {
			if opOf(r) == providertest.OpCreate {
				switch creates.Add(1) { // the first two are orders to refund and to cancel
				case 3:
					<-again
				case 4:
					close(again)
				}
			}
			return opOf(r)
		}
		return sandbox
	}
	results, err := providertest.Check(t.Context(), h, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, why := failedIDs(results); len(results) != 1 || results[0].Verdict != rules.Pass {
		t.Errorf("%+v%s", results, why)
	}
}

func TestHarnessMistakes(t *testing.T) {
	for _, h := range []providertest.Harness{{}, {Plugin: providertest.InProcess(good())}} {
		if _, err := providertest.Check(t.Context(), h, nil); err == nil {
			t.Error("an empty harness is taken")
		}
	}
	h := harness(good())
	h.Start = func(*rules.T, providertest.Setup) providertest.Sandbox { return providertest.Sandbox{} }
	results, err := providertest.Check(t.Context(), h, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, why := failedIDs(results); !strings.Contains(why, "the harness's sandbox has no") {
		t.Errorf("an empty sandbox: %s", why)
	}
}

var errBroken = errors.New("broken on purpose")
