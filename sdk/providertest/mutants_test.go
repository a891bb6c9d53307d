package providertest_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/paymux/paymux/sdk"
)

// mutants make one mistake each.
var mutants = slices.Concat(mutantsOfWords, mutantsOfErrors, mutantsOfNotices, mutantsOfRest)

type mutant struct {
	name   string
	caught string // by the case that is meant for it, and any others that such a mistake has to fail
	breaks func(sdk.Plugin) sdk.Plugin
}

func definition(change func(p *sdk.Plugin)) func(sdk.Plugin) sdk.Plugin {
	return func(p sdk.Plugin) sdk.Plugin {
		change(&p)
		return p
	}
}

var mutantsOfWords = []mutant{
	{"has no version", "describe/info", definition(func(p *sdk.Plugin) { p.Info.Version = "latest" })},
	{"marks no account", "describe/schema", definition(func(p *sdk.Plugin) {
		p.ConfigSchema = strings.ReplaceAll(p.ConfigSchema, `,"x-paymux-account":true`, "")
	})},
	{"has a row twice", "describe/capabilities", definition(func(p *sdk.Plugin) {
		p.Capabilities.Rows = append(p.Capabilities.Rows, p.Capabilities.Rows[0])
	})},
	{"repeats without a window", "describe/create_retry", definition(func(p *sdk.Plugin) { p.Capabilities.CreateRetry.Window = 0 })},
	{"allows letters and digits in a secret only", "config/valid", definition(func(p *sdk.Plugin) {
		p.ConfigSchema = strings.Replace(p.ConfigSchema, `"secret":{`, `"secret":{"pattern":"^[A-Za-z0-9]*$",`, 1)
	})},
	{"takes a secret of any type", "config/strict", definition(func(p *sdk.Plugin) {
		p.ConfigSchema = strings.Replace(p.ConfigSchema, `"secret":{"type":"string",`, `"secret":{`, 1)
	})},
	{"speaks to the acquirer when it is opened", "config/offline", breaking(func(b *broken) {
		if resp, err := http.Get(b.base.JoinPath("ping").String()); err == nil {
			_ = resp.Body.Close()
		}
	})},
	{"has no code for a bad config", "config/unusable", definition(func(p *sdk.Plugin) {
		open := p.Open
		p.Open = func(ctx context.Context, c sdk.Config) (sdk.Provider, error) {
			opened, err := open(ctx, c)
			if err != nil {
				err = errBroken
			}
			return opened, err
		}
	})},
	{"has credentials that ran out", "config/authorize", breaking(func(b *broken) {
		b.authorize = func(ctx context.Context) (sdk.Grant, error) {
			_, err := b.provider.Authorize(ctx)
			return sdk.Grant{ExpiresAt: time.Now().Add(-time.Hour)}, err
		}
	})},
	{"calls a fresh order CREATED", "create/answer", asks(func(*broken, *sdk.CreateRequest) func(*sdk.Payment, error) error {
		return func(p *sdk.Payment, err error) error { p.Status = sdk.StatusCreated; return err }
	})},
	{"gives an action that it didn't announce", "create/actions", asks(func(*broken, *sdk.CreateRequest) func(*sdk.Payment, error) error {
		return func(p *sdk.Payment, err error) error {
			p.NextActions = []sdk.NextAction{{Type: sdk.ActionQRCode, QRCode: "x"}}
			return err
		}
	})},
	{"sends an order twice", "create/once", breaking(func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			p, err := b.provider.Create(ctx, r)
			if b.count("create") == 0 && err == nil {
				return b.provider.Create(ctx, r)
			}
			return p, err
		}
	})},
	{"cuts a long id", "create/ids", asks(func(_ *broken, r *sdk.CreateRequest) func(*sdk.Payment, error) error {
		r.MerchantOrderID = r.MerchantOrderID[:min(30, len(r.MerchantOrderID))]
		return nil
	})},
	{"finds an order by the acquirer's id once it is paid", "query/by_acquirer_order answer/crossed create/ids query/no_effect query/one_of_several status/given_up status/mapping retry/after_lost cancel/unpaid cancel/lost instance/many instance/again", answers(func(_ *broken, r sdk.QueryRequest, p *sdk.Payment, err error) error {
		if r.AcquirerOrderID != "" && err == nil && p.Status != sdk.StatusSucceeded {
			return sdk.Unknown(sdk.CodeOrderNotFound, "there is no such transaction")
		}
		return err
	})},
	{"orders again to have a fresh link", "query/no_effect", answers(func(b *broken, r sdk.QueryRequest, p *sdk.Payment, err error) error {
		if p.Status == sdk.StatusPending && err == nil {
			fresh, _ := b.provider.Create(context.Background(), sdk.CreateRequest{Order: r.Order, Method: b.rows[0].Method, Flow: b.rows[0].Flow})
			p.NextActions = fresh.NextActions
		}
		return err
	})},
	{"takes the newest paid order of a list", "query/one_of_several answer/crossed", breaking(func(b *broken) {
		var list []sdk.Order
		b.create = func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			p, err := b.provider.Create(ctx, r)
			if err == nil {
				b.mu.Lock()
				defer b.mu.Unlock()
				list = append(list, p.Order)
			}
			return p, err
		}
		b.query = func(ctx context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
			b.mu.Lock()
			orders := slices.Clone(list)
			b.mu.Unlock()
			for _, order := range slices.Backward(orders) {
				if p, err := b.provider.Query(ctx, sdk.QueryRequest{Order: order}); err != nil || p.Status == sdk.StatusSucceeded {
					return p, err
				}
			}
			return b.provider.Query(ctx, r)
		}
	})},
	{"finds another order by our id", "query/by_merchant_order", breaking(func(b *broken) {
		b.create = func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			p, err := b.provider.Create(ctx, r)
			if err == nil {
				b.count("created")
			}
			return p, err
		}
		b.query = func(ctx context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
			p, err := b.provider.Query(ctx, r)
			if r.AcquirerOrderID == "" && b.count("created") > 0 {
				p.AcquirerOrderID = "B0"
			}
			return p, err
		}
	})},
	{"says FAILED of what it doesn't find", "query/never_made", answers(func(_ *broken, _ sdk.QueryRequest, p *sdk.Payment, err error) error {
		if sdk.IsCode(err, sdk.CodeOrderNotFound) {
			p.Status, err = sdk.StatusFailed, nil
		}
		return err
	})},
	{"takes every status it doesn't know for PENDING", "status/unheard_of", answers(func(_ *broken, _ sdk.QueryRequest, p *sdk.Payment, err error) error {
		if err == nil && p.Status == sdk.StatusUnknown {
			p.Status = sdk.StatusPending
		}
		return err
	})},
	{"takes who left the wallet for gone", "status/given_up status/mapping", answers(func(_ *broken, _ sdk.QueryRequest, p *sdk.Payment, err error) error {
		if p.RawStatus == "left" {
			p.Status = sdk.StatusCancelled
		}
		return err
	})},
	{"reads one status wrongly", "status/mapping", breaking(func(b *broken) {
		wrong := func(p sdk.Payment, err error) (sdk.Payment, error) {
			if p.Status == sdk.StatusCancelled {
				p.Status = sdk.StatusExpired
			}
			return p, err
		}
		b.query = func(ctx context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
			return wrong(b.provider.Query(ctx, r))
		}
		b.cancel = func(ctx context.Context, r sdk.CancelRequest) (sdk.Payment, error) {
			return wrong(b.provider.Cancel(ctx, r))
		}
	})},
	{"sends who has paid to pay again", "status/paid", answers(func(_ *broken, _ sdk.QueryRequest, p *sdk.Payment, err error) error {
		if p.Status == sdk.StatusSucceeded {
			p.NextActions = []sdk.NextAction{{Type: sdk.ActionRedirect, URL: "https://bank.example.com/pay"}}
		}
		return err
	})},
	{"takes yen for hundredths", "money/exponent_0 money/smallest money/largest", amounts("JPY", func(n int64) int64 { return n * 100 })},
	{"loses a cent of some amounts in a float", "money/exponent_2", amounts("HKD", func(n int64) int64 {
		return int64(float64(n) / 100 * 100)
	})},
	{"rounds a third decimal", "money/exponent_3 money/largest", amounts("BHD", func(n int64) int64 { return (n + 5) / 10 * 10 })},
	{"sends no less than two", "money/smallest", asks(func(_ *broken, r *sdk.CreateRequest) func(*sdk.Payment, error) error {
		if r.Money.Minor() == 1 {
			r.Money, _ = sdk.FromMinor(2, r.Money.Currency())
		}
		return nil
	})},
	{"computes with float32", "money/largest", asks(func(_ *broken, r *sdk.CreateRequest) func(*sdk.Payment, error) error {
		asked := r.Money
		if asked.Minor() < 10_000_000 {
			return nil
		}
		r.Money, _ = sdk.FromMinor(int64(float32(asked.Minor())), asked.Currency())
		return func(p *sdk.Payment, err error) error { p.Money = asked; return err }
	})},
	{"forgets the largest amount", "money/bounds", breaking(func(b *broken) {
		for i := range b.rows {
			b.rows[i].Min, b.rows[i].Max = sdk.Money{}, sdk.Money{}
		}
	})},
	{"takes every currency for its own", "money/other_currency", asks(func(b *broken, r *sdk.CreateRequest) func(*sdk.Payment, error) error {
		if !strings.Contains("HKD JPY BHD", r.Money.Currency()) {
			r.Money, _ = sdk.FromMinor(r.Money.Minor(), "HKD")
		}
		return nil
	})},
}

// amounts sends other amounts in a currency, and says that it sent what it was
// asked for.
func amounts(currency string, wrong func(int64) int64) func(sdk.Plugin) sdk.Plugin {
	return asks(func(_ *broken, r *sdk.CreateRequest) func(*sdk.Payment, error) error {
		asked := r.Money
		sent := wrong(asked.Minor())
		if asked.Currency() != currency || sent == asked.Minor() {
			return nil
		}
		r.Money, _ = sdk.FromMinor(sent, currency)
		return func(p *sdk.Payment, err error) error { p.Money = asked; return err }
	})
}
