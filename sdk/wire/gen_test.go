package wire_test

import (
	"fmt"
	"math"
	"time"

	"pgregory.net/rapid"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/wire"
)

// Generators of whatever the contract allows, which the wire must not lose.

var (
	genID     = rapid.StringMatching(`[A-Za-z0-9_-]{1,32}`)
	genString = rapid.String() // valid UTF-8 of every kind
	genTime   = rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "unsaid") {
			return time.Time{}
		}
		// The years 2 to 9999.
		return time.Unix(rapid.Int64Range(-62_000_000_000, 253_402_300_799).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
	})
	genDuration = rapid.Map(rapid.Int64Range(0, math.MaxInt64), func(n int64) time.Duration { return time.Duration(n) })
	genMethod   = rapid.Map(genString, func(s string) sdk.Method { return sdk.Method(s) })
	genFlow     = rapid.Map(genString, func(s string) sdk.Flow { return sdk.Flow(s) })
	genAction   = rapid.Map(genString, func(s string) sdk.ActionType { return sdk.ActionType(s) })
)

func genMoney(currency string) *rapid.Generator[sdk.Money] {
	return rapid.Custom(func(t *rapid.T) sdk.Money {
		m, err := sdk.FromMinor(rapid.Int64Range(1, 999_999_999_999).Draw(t, "units"), currency)
		if err != nil {
			panic(err)
		}
		return m
	})
}

var genCurrency = rapid.SampledFrom([]string{"HKD", "CNY", "JPY", "BHD"})

// genRequestOrder makes what a host sends: with the merchant's id and an amount.
var genRequestOrder = rapid.Custom(func(t *rapid.T) sdk.Order {
	return sdk.Order{
		MerchantOrderID: genID.Draw(t, "merchant"), AcquirerOrderID: genString.Draw(t, "acquirer"),
		Money: genMoney(genCurrency.Draw(t, "currency")).Draw(t, "money"),
	}
})

// genAnswerOrder makes what an acquirer may say: anything or nothing.
var genAnswerOrder = rapid.Custom(func(t *rapid.T) sdk.Order {
	o := sdk.Order{MerchantOrderID: genString.Draw(t, "merchant"), AcquirerOrderID: genString.Draw(t, "acquirer")}
	if rapid.Bool().Draw(t, "says an amount") {
		o.Money = genMoney(genCurrency.Draw(t, "currency")).Draw(t, "money")
	}
	return o
})

var genPayment = rapid.Custom(func(t *rapid.T) sdk.Payment {
	return sdk.Payment{
		Order: genAnswerOrder.Draw(t, "order"),
		// CREATED is the host's alone.
		Status:       rapid.SampledFrom(sdk.Statuses()).Filter(func(s sdk.Status) bool { return s != sdk.StatusCreated }).Draw(t, "status"),
		StatusReason: genString.Draw(t, "reason"), RawStatus: genString.Draw(t, "raw"),
		NextActions: rapid.SliceOfN(genNextAction, 0, 3).Draw(t, "actions"),
		CreatedAt:   genTime.Draw(t, "created"), PaidAt: genTime.Draw(t, "paid"), RequestID: genString.Draw(t, "request"),
	}
})

var genNextAction = rapid.Custom(func(t *rapid.T) sdk.NextAction {
	return sdk.NextAction{
		Type: genAction.Draw(t, "type"), URL: genString.Draw(t, "url"), QRCode: genString.Draw(t, "qr"), FallbackURL: genString.Draw(t, "fallback"),
		Params: rapid.MapOfN(genString, genString, 0, 3).Draw(t, "params"), ExpiresAt: genTime.Draw(t, "expires"),
	}
})

var genCreate = rapid.Custom(func(t *rapid.T) sdk.CreateRequest {
	return sdk.CreateRequest{
		Order: genRequestOrder.Draw(t, "order"), RequestID: genString.Draw(t, "request"),
		Method: genMethod.Draw(t, "method"), Flow: genFlow.Draw(t, "flow"), Description: genString.Draw(t, "description"),
		ReturnURL: genString.Draw(t, "return"), NotifyURL: genString.Draw(t, "notify"),
	}
})

var genRefund = rapid.Custom(func(t *rapid.T) sdk.Refund {
	return sdk.Refund{
		MerchantRefundID: genString.Draw(t, "merchant"), AcquirerRefundID: genString.Draw(t, "acquirer"), Amount: genAnswerOrder.Draw(t, "o").Money,
		Status:       sdk.RefundStatus(rapid.IntRange(0, int(sdk.RefundFailed)).Draw(t, "status")),
		StatusReason: genString.Draw(t, "reason"), RawStatus: genString.Draw(t, "raw"),
		RefundedAt: genTime.Draw(t, "at"), RequestID: genString.Draw(t, "request"),
	}
})

var genRefundRequest = rapid.Custom(func(t *rapid.T) sdk.RefundRequest {
	order := genRequestOrder.Draw(t, "order")
	return sdk.RefundRequest{
		Order: order, MerchantRefundID: genID.Draw(t, "refund"), RequestID: genString.Draw(t, "request"),
		Amount: genMoney(order.Money.Currency()).Draw(t, "amount"), Reason: genString.Draw(t, "reason"),
	}
})

var genRefundQuery = rapid.Custom(func(t *rapid.T) sdk.RefundQuery {
	r := genRefundRequest.Draw(t, "request")
	return sdk.RefundQuery{Order: r.Order, MerchantRefundID: r.MerchantRefundID, AcquirerRefundID: genString.Draw(t, "acquirer"), Amount: r.Amount}
})

var genError = rapid.Custom(func(t *rapid.T) *sdk.Error {
	return &sdk.Error{
		Code: sdk.Code(rapid.Uint16().Draw(t, "code")), Outcome: sdk.Outcome(rapid.IntRange(0, int(sdk.OutcomeRefused)).Draw(t, "outcome")),
		Message: genString.Draw(t, "message"), Field: genString.Draw(t, "field"),
		AcquirerCode: genString.Draw(t, "acquirer"), AcquirerRequestID: genString.Draw(t, "request"), RetryAfter: genDuration.Draw(t, "retry"),
	}
})

var genHTTPRequest = rapid.Custom(func(t *rapid.T) sdk.HTTPRequest {
	return sdk.HTTPRequest{
		Method: genString.Draw(t, "method"), Path: genString.Draw(t, "path"), RawQuery: genString.Draw(t, "query"),
		Header: rapid.MapOfN(genString, rapid.SliceOfN(genString, 1, 3), 0, 4).Draw(t, "header"),
		Body:   rapid.SliceOf(rapid.Byte()).Draw(t, "body"), ReceivedAt: genTime.Draw(t, "at"),
	}
})

var genNotification = rapid.Custom(func(t *rapid.T) sdk.Notification {
	event := rapid.Custom(func(t *rapid.T) sdk.NotificationEvent {
		return sdk.NotificationEvent{
			Kind: sdk.EventKind(rapid.IntRange(0, int(sdk.EventRefund)).Draw(t, "kind")), RawType: genString.Draw(t, "raw"),
			MerchantOrderID: genString.Draw(t, "a"), AcquirerOrderID: genString.Draw(t, "b"),
			MerchantRefundID: genString.Draw(t, "c"), AcquirerRefundID: genString.Draw(t, "d"),
		}
	})
	return sdk.Notification{
		Events: rapid.SliceOfN(event, 0, 3).Draw(t, "events"),
		Ack: sdk.HTTPResponse{
			Status: rapid.OneOf(rapid.Just(0), rapid.IntRange(200, 599)).Draw(t, "status"),
			Header: rapid.MapOfN(genString, genString, 0, 3).Draw(t, "header"), Body: rapid.SliceOf(rapid.Byte()).Draw(t, "body"),
		},
	}
})

var genDescription = rapid.Custom(func(t *rapid.T) wire.Description {
	row := rapid.Custom(func(t *rapid.T) sdk.Capability {
		currency := genCurrency.Draw(t, "currency")
		r := sdk.Capability{
			Method: genMethod.Draw(t, "method"), Flow: genFlow.Draw(t, "flow"), Currency: currency,
			Actions: rapid.SliceOfN(genAction, 0, 3).Draw(t, "actions"),
		}
		for i, bound := range []*sdk.Money{&r.Min, &r.Max} {
			if rapid.Bool().Draw(t, fmt.Sprint("bound ", i)) {
				*bound = genMoney(currency).Draw(t, "bound")
			}
		}
		return r
	})
	return wire.Description{
		Info:         sdk.Info{Name: genString.Draw(t, "name"), Version: genString.Draw(t, "version"), Acquirer: genString.Draw(t, "acquirer"), DocsURL: genString.Draw(t, "docs")},
		ConfigSchema: genString.Draw(t, "schema"),
		Capabilities: sdk.Capabilities{
			Rows:             rapid.SliceOfN(row, 0, 3).Draw(t, "rows"),
			NotifyURL:        sdk.NotifyURLMode(rapid.IntRange(0, 1).Draw(t, "mode")),
			NotificationAuth: sdk.NotificationAuth(rapid.IntRange(0, 2).Draw(t, "auth")),
			QueryKeys:        rapid.SliceOfN(rapid.SampledFrom([]sdk.QueryKey{sdk.QueryByAcquirerOrder, sdk.QueryByMerchantOrder}), 0, 2).Draw(t, "keys"),
			NotFoundSettling: genDuration.Draw(t, "settling"),
			CreateRetry:      sdk.CreateRetry{Native: rapid.Bool().Draw(t, "native"), Window: genDuration.Draw(t, "window")},
			Polling:          rapid.SliceOfN(rapid.Map(genDuration, func(d time.Duration) time.Duration { return max(d, time.Second) }), 0, 3).Draw(t, "polling"),
		},
	}
})
