package providertest_test

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

var mutantsOfErrors = []mutant{
	{"says NOT_SENT of a broken connection", "outcome/reset", says(func(_ string, e *sdk.Error) {
		if strings.Contains(e.Message, "the connection was closed") {
			e.Outcome = sdk.OutcomeNotSent
		}
	})},
	{"says NOT_SENT of a timeout", "outcome/timeout", says(func(_ string, e *sdk.Error) {
		if e.Code == sdk.CodeAcquirerTimeout {
			e.Outcome = sdk.OutcomeNotSent
		}
	})},
	{"ignores its deadline", "outcome/timeout", breaking(func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			p, err := b.provider.Create(ctx, r)
			if context.Cause(ctx) == context.DeadlineExceeded {
				<-time.After(4 * time.Second)
			}
			return p, err
		}
	})},
	{"takes a bad gateway for a no", "outcome/server_error", says(func(_ string, e *sdk.Error) {
		if e.Message == "HTTP 502" {
			e.Outcome, e.Code = sdk.OutcomeRefused, sdk.CodeRefused
		}
	})},
	{"says NOT_SENT of a refund that met 503", "outcome/server_error", says(func(op string, e *sdk.Error) {
		if op == "refund" && e.Message == "HTTP 503" {
			e.Outcome = sdk.OutcomeNotSent
		}
	})},
	{"takes an answer as long as it comes", "outcome/endless", breaking(func(b *broken) {
		b.provider.client = acquirer.NewClient(acquirer.Options{MaxBody: 1 << 40})
	})},
	{"says NOT_SENT of an answer that is too large", "outcome/endless", says(func(_ string, e *sdk.Error) {
		if strings.Contains(e.Message, "is larger than") {
			e.Outcome = sdk.OutcomeNotSent
		}
	})},
	{"says NOT_SENT of what it can't read", "outcome/unreadable", says(func(_ string, e *sdk.Error) {
		if e.Message == "it can't be read" {
			e.Outcome = sdk.OutcomeNotSent
		}
	})},
	{"takes a redirect for a no", "outcome/redirect", says(func(_ string, e *sdk.Error) {
		if e.Message == "HTTP 302" {
			e.Outcome = sdk.OutcomeRefused
		}
	})},
	{"takes 401 for a no", "outcome/unauthorized", says(func(_ string, e *sdk.Error) {
		if strings.Contains(e.Message, "a fresh access token") {
			e.Outcome = sdk.OutcomeRefused
		}
	})},
	{"says UNKNOWN when nobody listens", "outcome/unreachable", says(func(_ string, e *sdk.Error) {
		if strings.Contains(e.Message, "refused") {
			e.Outcome = sdk.OutcomeUnknown
		}
	})},
	{"goes on when its time is over", "outcome/over_already", breaking(func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			if ctx.Err() != nil {
				again, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
				defer cancel()
				_, _ = b.provider.Create(again, r)
			}
			return b.provider.Create(ctx, r)
		}
	})},
	{"says UNKNOWN when it got no token", "outcome/authorize", says(func(_ string, e *sdk.Error) {
		if strings.HasPrefix(e.Message, "no token") {
			e.Outcome = sdk.OutcomeUnknown
		}
	})},
	{"says that an order isn't there when the acquirer isn't", "outcome/query", answers(func(_ *broken, _ sdk.QueryRequest, _ *sdk.Payment, err error) error {
		if err != nil && strings.Contains(err.Error(), "HTTP 503") {
			return sdk.NotSent(sdk.CodeOrderNotFound, "not there")
		}
		return err
	})},
	{"says UNKNOWN of a final no", "outcome/refused", says(func(_ string, e *sdk.Error) {
		if e.Message == "the bank says no" {
			e.Outcome = sdk.OutcomeUnknown
		}
	})},
	{"takes an error that nobody documents for a no", "outcome/error_code", says(func(_ string, e *sdk.Error) {
		if e.Message == "HTTP 200" {
			e.Outcome = sdk.OutcomeRefused
		}
	})},
	{"copies the acquirer's id out of the question", "answer/wrong_order", answers(func(_ *broken, r sdk.QueryRequest, p *sdk.Payment, err error) error {
		if r.AcquirerOrderID != "" {
			p.AcquirerOrderID = r.AcquirerOrderID
		}
		return err
	})},
	{"copies our id out of the question", "answer/wrong_merchant_order", answers(func(_ *broken, r sdk.QueryRequest, p *sdk.Payment, err error) error {
		p.MerchantOrderID = r.MerchantOrderID
		return err
	})},
	{"copies the amount out of the question", "answer/wrong_amount", answers(func(_ *broken, r sdk.QueryRequest, p *sdk.Payment, err error) error {
		if p.Money.Currency() == r.Money.Currency() {
			p.Money = r.Money
		}
		return err
	})},
	{"copies the currency out of the question", "answer/wrong_currency", answers(func(_ *broken, r sdk.QueryRequest, p *sdk.Payment, err error) error {
		if !p.Money.IsZero() {
			p.Money, _ = sdk.FromMinor(p.Money.Minor(), r.Money.Currency())
		}
		return err
	})},
	{"copies all but the state out of the question", "answer/crossed answer/wrong_order answer/wrong_merchant_order answer/wrong_amount answer/wrong_currency", answers(func(_ *broken, r sdk.QueryRequest, p *sdk.Payment, err error) error {
		if err == nil {
			p.MerchantOrderID, p.Money = r.MerchantOrderID, r.Money
			if r.AcquirerOrderID != "" {
				p.AcquirerOrderID = r.AcquirerOrderID
			}
		}
		return err
	})},
	{"drops a Retry-After in seconds", "limit/seconds", says(func(_ string, e *sdk.Error) {
		if e.RetryAfter%time.Second == 0 { // a date is never whole seconds away
			e.RetryAfter = 0
		}
	})},
	{"drops a Retry-After that is a date", "limit/date", says(func(_ string, e *sdk.Error) {
		if e.RetryAfter%time.Second != 0 { // seconds are whole
			e.RetryAfter = 0
		}
	})},
	{"makes up a Retry-After", "limit/absent", breaking(func(b *broken) {
		b.giveBack = func(ctx context.Context, r sdk.RefundRequest) (sdk.Refund, error) {
			p, err := b.provider.Refund(ctx, r)
			if sdk.IsCode(err, sdk.CodeAcquirerRateLimited) && sdk.AsError(err).RetryAfter == 0 {
				sdk.AsError(err).RetryAfter = time.Second
			}
			return p, err
		}
	})},
	{"lets a Retry-After overflow", "limit/nonsense", says(func(_ string, e *sdk.Error) {
		if e.RetryAfter >= 24*time.Hour {
			e.RetryAfter = -e.RetryAfter
		}
	})},
	{"takes 429 on a query for an error like any other", "limit/query", answers(func(_ *broken, _ sdk.QueryRequest, _ *sdk.Payment, err error) error {
		if sdk.IsCode(err, sdk.CodeAcquirerRateLimited) {
			return sdk.Unknown(sdk.CodeAcquirerError, "slow down")
		}
		return err
	})},
	{"makes a second order of a repeated request", "retry/identical", asks(func(b *broken, r *sdk.CreateRequest) func(*sdk.Payment, error) error {
		id := r.MerchantOrderID
		if b.count("ok "+id) > 0 {
			r.MerchantOrderID += "x"
		}
		return func(_ *sdk.Payment, err error) error {
			if err != nil {
				b.mu.Lock()
				delete(b.seen, "ok "+id)
				b.mu.Unlock()
			}
			return err
		}
	})},
	{"makes a second order after a lost answer", "retry/after_lost", asks(func(b *broken, r *sdk.CreateRequest) func(*sdk.Payment, error) error {
		id := r.MerchantOrderID
		b.mu.Lock()
		if b.seen["lost "+id] > 0 {
			r.MerchantOrderID += "x"
		}
		b.mu.Unlock()
		return func(_ *sdk.Payment, err error) error {
			if err != nil {
				b.count("lost " + id)
			}
			return err
		}
	})},
	{"takes another id when one is taken", "retry/other_request", breaking(func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			p, err := b.provider.Create(ctx, r)
			if err != nil && sdk.AsError(err).AcquirerCode == "other_order" {
				id := r.MerchantOrderID
				r.MerchantOrderID += "-2"
				p, err = b.provider.Create(ctx, r)
				p.MerchantOrderID = id
			}
			return p, err
		}
	})},
	{"finds what it remembers", "retry/found", breaking(func(b *broken) {
		var ours sync.Map
		b.create = func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			p, err := b.provider.Create(ctx, r)
			if err == nil {
				ours.Store(r.MerchantOrderID, p.AcquirerOrderID)
			}
			return p, err
		}
		b.query = func(ctx context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
			if r.AcquirerOrderID == "" {
				id, ok := ours.Load(r.MerchantOrderID)
				if !ok {
					return sdk.Payment{}, sdk.NotSent(sdk.CodeOrderNotFound, "there is no such order")
				}
				r.AcquirerOrderID = id.(string)
			}
			return b.provider.Query(ctx, r)
		}
	})},
}
