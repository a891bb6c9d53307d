package providertest_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paymux/paymux/sdk"
)

var mutantsOfRest = []mutant{
	{"doesn't know the word for a full refund", "refund/full", breaking(func(b *broken) {
		b.giveBack = func(ctx context.Context, r sdk.RefundRequest) (sdk.Refund, error) {
			p, err := b.provider.Refund(ctx, r)
			if err == nil && r.Amount.Minor() == r.Money.Minor() {
				p.Status = sdk.RefundUnknown
			}
			return p, err
		}
	})},
	{"cancels what it can't refund", "refund/unpaid", breaking(func(b *broken) {
		b.giveBack = func(ctx context.Context, r sdk.RefundRequest) (sdk.Refund, error) {
			p, err := b.provider.Refund(ctx, r)
			if sdk.IsCode(err, sdk.CodeRefused) {
				if gone, err := b.provider.Cancel(ctx, sdk.CancelRequest{Order: r.Order, RequestID: r.RequestID}); err == nil && gone.Status == sdk.StatusCancelled {
					return sdk.Refund{MerchantRefundID: r.MerchantRefundID, Amount: r.Amount, Status: sdk.RefundSucceeded}, nil
				}
			}
			return p, err
		}
	})},
	{"asks about a refund by the acquirer's id only", "refund/found", breaking(func(b *broken) {
		b.queryRefund = func(ctx context.Context, r sdk.RefundQuery) (sdk.Refund, error) {
			if r.AcquirerRefundID == "" {
				return sdk.Refund{}, sdk.NotSent(sdk.CodeInvalidRequest, "the acquirer's id is missing")
			}
			return b.provider.QueryRefund(ctx, r)
		}
	})},
	{"gives all back for a part", "refund/partial", giving(func(b *broken, r *sdk.RefundRequest) {
		if r.Amount.Minor() < r.Money.Minor() {
			r.Amount = r.Money
		}
	})},
	{"gives back what there is when asked for more", "refund/too_much", giving(func(b *broken, r *sdk.RefundRequest) {
		if r.Amount.Minor() > r.Money.Minor() {
			r.Amount = r.Money
		}
	})},
	{"makes a second refund of a repeated one", "refund/same_id", giving(func(b *broken, r *sdk.RefundRequest) {
		if b.count(r.MerchantRefundID) > 0 {
			r.MerchantRefundID += "x"
		}
	})},
	{"calls a refunded payment CANCELLED", "refund/payment_stays", breaking(func(b *broken) {
		b.giveBack = func(ctx context.Context, r sdk.RefundRequest) (sdk.Refund, error) {
			b.count("refunded " + r.MerchantOrderID)
			return b.provider.Refund(ctx, r)
		}
		b.query = func(ctx context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
			p, err := b.provider.Query(ctx, r)
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.seen["refunded "+r.MerchantOrderID] > 0 {
				p.Status = sdk.StatusCancelled
			}
			return p, err
		}
	})},
	{"says that a refund failed when it can't be asked about", "refund/query_trouble", breaking(func(b *broken) {
		b.queryRefund = func(ctx context.Context, r sdk.RefundQuery) (sdk.Refund, error) {
			p, err := b.provider.QueryRefund(ctx, r)
			if err != nil && sdk.AsError(err).Message == "HTTP 503" {
				p.Status, err = sdk.RefundFailed, nil
			}
			return p, err
		}
	})},
	{"says that a refund that waits failed", "refund/mapping", refundSaid("waiting")},
	{"says that a refund in no known status failed", "refund/unheard_of", refundSaid("half-paid")},
	{"takes any 404 to mean that there is no refund", "refund/query_trouble", breaking(func(b *broken) {
		b.queryRefund = func(ctx context.Context, r sdk.RefundQuery) (sdk.Refund, error) {
			p, err := b.provider.QueryRefund(ctx, r)
			if err != nil && sdk.AsError(err).Message == "HTTP 404" {
				err = sdk.Unknown(sdk.CodeOrderNotFound, "there is no refund")
			}
			return p, err
		}
	})},
	{"says that a refund that nobody made failed", "refund/never_made", breaking(func(b *broken) {
		b.queryRefund = func(ctx context.Context, r sdk.RefundQuery) (sdk.Refund, error) {
			p, err := b.provider.QueryRefund(ctx, r)
			if err != nil && sdk.AsError(err).Message == "HTTP 200" {
				p.Status, err = sdk.RefundFailed, nil
			}
			return p, err
		}
	})},
	{"reports an end that the acquirer doesn't", "cancel/unpaid", cancelling(sdk.StatusCancelled, sdk.StatusExpired)},
	{"calls a paid order cancelled", "cancel/paid", cancelling(sdk.StatusSucceeded, sdk.StatusCancelled)},
	{"leaves an order locked when Cancel fails", "cancel/lost", breaking(func(b *broken) {
		var locked sync.Map
		b.cancel = func(ctx context.Context, r sdk.CancelRequest) (sdk.Payment, error) {
			locked.Store(r.MerchantOrderID, true)
			p, err := b.provider.Cancel(ctx, r)
			if err == nil {
				locked.Delete(r.MerchantOrderID)
			}
			return p, err
		}
		b.query = func(ctx context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
			if _, busy := locked.Load(r.MerchantOrderID); busy {
				return sdk.Payment{}, sdk.NotSent(sdk.CodePluginUnavailable, "the order is busy")
			}
			return b.provider.Query(ctx, r)
		}
	})},
	{"logs in anew under the calls that run", "concurrency/mixed", breaking(func(b *broken) {
		var session atomic.Int64
		b.authorize = func(ctx context.Context) (sdk.Grant, error) {
			session.Add(1)
			defer session.Add(1)
			token, err := b.token(ctx)
			return sdk.Grant{ExpiresAt: token.ExpiresAt}, err
		}
		b.query = func(ctx context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
			begun := session.Load()
			p, err := b.provider.Query(ctx, r)
			if session.Load() != begun {
				return sdk.Payment{}, sdk.Unknown(sdk.CodeCredentialsRefused, "the session is over")
			}
			return p, err
		}
	})},
	{"mixes up orders that are made at once", "concurrency/orders", mixesUp()},
	{"fetches a token for each call", "concurrency/authorize", asks(func(b *broken, _ *sdk.CreateRequest) func(*sdk.Payment, error) error {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_, _ = b.token(ctx)
		return nil
	})},
	{"has connections for a few instances only", "instance/many", fewConnections},
	{"has one address for all instances", "instance/apart", oneAddress()},
	{"keeps an instance's first config", "instance/again", keepsFirst()},
	{"quotes the URL with the secret", "secret/errors", says(func(_ string, e *sdk.Error) {
		if strings.HasPrefix(e.Message, "no token") {
			e.Message += " from /token?secret=" + bankSecret
		}
	})},
	{"logs its secret", "secret/log", breaking(func(b *broken) { slog.Debug("opened", "secret", b.provider.config.Secret.Reveal()) })},
	{"quotes the config", "secret/config_error", definition(func(p *sdk.Plugin) {
		open := p.Open
		p.Open = func(ctx context.Context, c sdk.Config) (sdk.Provider, error) {
			opened, err := open(ctx, c)
			if err != nil {
				var all map[string]any
				_ = c.Decode(&all)
				text, _ := json.Marshal(all)
				err = sdk.ConfigError("", "can't use %s", text)
			}
			return opened, err
		}
	})},
	{"tells its secret in an answer", "secret/answers", answers(func(b *broken, _ sdk.QueryRequest, p *sdk.Payment, err error) error {
		p.StatusReason = b.provider.config.Secret.Reveal()
		return err
	})},
	{"prints its secret", "secret/prints", definition(func(p *sdk.Plugin) {
		open := p.Open
		p.Open = func(ctx context.Context, c sdk.Config) (sdk.Provider, error) {
			opened, err := open(ctx, c)
			if err != nil {
				return nil, err
			}
			return &struct {
				all
				secret string
			}{opened.(all), bankSecret}, nil
		}
	})},
}

type all interface {
	sdk.Provider
	sdk.Refunder
	sdk.Canceller
}

func giving(change func(*broken, *sdk.RefundRequest)) func(sdk.Plugin) sdk.Plugin {
	return breaking(func(b *broken) {
		b.giveBack = func(ctx context.Context, r sdk.RefundRequest) (sdk.Refund, error) {
			change(b, &r)
			return b.provider.Refund(ctx, r)
		}
	})
}

func cancelling(from, to sdk.Status) func(sdk.Plugin) sdk.Plugin {
	return breaking(func(b *broken) {
		b.cancel = func(ctx context.Context, r sdk.CancelRequest) (sdk.Payment, error) {
			p, err := b.provider.Cancel(ctx, r)
			if p.Status == from {
				p.Status = to
			}
			return p, err
		}
	})
}

// fewConnections counts by address: the cases before have opened instances, too.
func fewConnections(p sdk.Plugin) sdk.Plugin {
	var mu sync.Mutex
	taken := map[string]int{}
	return breaking(func(b *broken) {
		mu.Lock()
		defer mu.Unlock()
		if taken[b.base.Host]++; taken[b.base.Host] > 100 {
			b.query = func(context.Context, sdk.QueryRequest) (sdk.Payment, error) {
				return sdk.Payment{}, sdk.NotSent(sdk.CodeAcquirerUnavailable, "no connection is free")
			}
		}
	})(p)
}

func mixesUp() func(sdk.Plugin) sdk.Plugin {
	return breaking(func(b *broken) {
		var running sync.WaitGroup
		var last atomic.Pointer[sdk.Payment]
		b.create = func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			running.Add(1)
			defer running.Done()
			n := b.count("running")
			p, err := b.provider.Create(ctx, r)
			b.mu.Lock()
			defer b.mu.Unlock()
			b.seen["running"]--
			if other := last.Swap(&p); n > 0 && other != nil {
				return *other, err
			}
			return p, err
		}
	})
}

// refundSaid reads one status of a refund as FAILED.
func refundSaid(raw string) func(sdk.Plugin) sdk.Plugin {
	return breaking(func(b *broken) {
		b.queryRefund = func(ctx context.Context, r sdk.RefundQuery) (sdk.Refund, error) {
			f, err := b.provider.QueryRefund(ctx, r)
			if f.RawStatus == raw {
				f.Status = sdk.RefundFailed
			}
			return f, err
		}
	})
}

func oneAddress() func(sdk.Plugin) sdk.Plugin {
	var newest atomic.Pointer[provider]
	return breaking(func(b *broken) {
		newest.Store(b.provider)
		b.create = func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			return newest.Load().Create(ctx, r)
		}
	})
}

func keepsFirst() func(sdk.Plugin) sdk.Plugin {
	return func(p sdk.Plugin) sdk.Plugin {
		open := p.Open
		var first sync.Map
		p.Open = func(ctx context.Context, c sdk.Config) (sdk.Provider, error) {
			opened, err := open(ctx, c)
			if err != nil {
				return opened, err
			}
			kept, _ := first.LoadOrStore(c.Name(), opened)
			return kept.(sdk.Provider), nil
		}
		return p
	}
}
