package sdk_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/paymux/paymux/sdk"
)

var capabilities = sdk.Capabilities{Rows: []sdk.Capability{
	{Method: sdk.AlipayHK, Flow: sdk.MobileWeb, Currency: "HKD", Min: money("1", "HKD"), Max: money("5000", "HKD")},
	{Method: sdk.AlipayHK, Flow: sdk.MobileWeb, Currency: "USD"},
	{Method: sdk.AlipayHK, Flow: sdk.WebQR, Currency: "HKD"},
	{Method: sdk.AlipayCN, Flow: sdk.App, Currency: "CNY", Min: money("0.10", "CNY")},
}}

func ExampleCapabilities_Supports() {
	price, _ := sdk.ParseMoney("0.50", "HKD")
	_, err := capabilities.Supports(sdk.AlipayHK, sdk.MobileWeb, price)
	fmt.Println(err)
	// Output: UNSUPPORTED: amount: must be at least 1.00 HKD
}

func TestSupports(t *testing.T) {
	for _, c := range []struct {
		method sdk.Method
		flow   sdk.Flow
		money  sdk.Money
		field  string // at fault; empty if it is taken
	}{
		{sdk.AlipayHK, sdk.MobileWeb, money("1", "HKD"), ""},
		{sdk.AlipayHK, sdk.MobileWeb, money("5000.00", "HKD"), ""},
		{sdk.AlipayHK, sdk.MobileWeb, money("0.99", "HKD"), "amount"},
		{sdk.AlipayHK, sdk.MobileWeb, money("5000.01", "HKD"), "amount"},
		{sdk.AlipayHK, sdk.MobileWeb, money("0.01", "USD"), ""},
		{sdk.AlipayHK, sdk.MobileWeb, money("1", "CNY"), "currency"},
		{sdk.AlipayHK, sdk.MobileWeb, sdk.Money{}, "currency"},
		{sdk.AlipayHK, sdk.WebQR, money("0.01", "HKD"), ""},
		{sdk.AlipayHK, sdk.WebQR, money("999999", "HKD"), ""},
		{sdk.AlipayHK, sdk.StoreQR, money("1", "HKD"), "flow"},
		{sdk.AlipayCN, sdk.App, money("0.09", "CNY"), "amount"},
		{sdk.AlipayCN, sdk.App, money("999999", "CNY"), ""},
		{"visa", sdk.App, money("1", "CNY"), "method"},
		{"", "", sdk.Money{}, "method"},
	} {
		row, err := capabilities.Supports(c.method, c.flow, c.money)
		if c.field == "" {
			if err != nil || row.Method != c.method || row.Flow != c.flow || row.Currency != c.money.Currency() {
				t.Errorf("%s %s %s: %v, %+v", c.method, c.flow, c.money, err, row)
			}
		} else if err == nil || err.Field != c.field || err.Code != sdk.CodeUnsupported || err.Outcome != sdk.OutcomeNotSent {
			t.Errorf("%s %s %s: %v, want a fault of %s", c.method, c.flow, c.money, err, c.field)
		}
	}
	if _, err := (sdk.Capabilities{}).Supports(sdk.AlipayHK, sdk.App, money("1", "HKD")); err == nil {
		t.Error("no rows take a payment")
	}
}

func ExamplePayment_Differences() {
	asked := sdk.Order{MerchantOrderID: "order-1", AcquirerOrderID: "A1", Money: money("100", "HKD")}
	answer := sdk.Payment{
		Order:  sdk.Order{MerchantOrderID: "order-1", AcquirerOrderID: "A1", Money: money("1", "HKD")},
		Status: sdk.StatusSucceeded,
	}
	fmt.Println(answer.Differences(asked))
	// Output: [amount is "1.00 HKD", not "100.00 HKD"]
}

func TestPaymentDifferences(t *testing.T) {
	want := sdk.Order{MerchantOrderID: "m1", AcquirerOrderID: "a1", Money: money("10", "HKD")}
	fresh := sdk.Order{MerchantOrderID: "m1", Money: want.Money} // no answer has named the acquirer's id yet
	for _, c := range []struct {
		name   string
		want   sdk.Order
		answer sdk.Order
		always []string // whatever the status
		paid   []string // when money is claimed
		nobody bool     // no id that we know is in it
	}{
		{"the same", want, want, nil, nil, false},
		{"nothing is said", want, sdk.Order{}, nil, []string{"merchant_order_id", "provider_order_id", "amount"}, true},
		{"padded amount", want, sdk.Order{"m1", "a1", money("10.00", "HKD")}, nil, nil, false},
		{"another merchant's id", want, sdk.Order{"m2", "a1", want.Money}, []string{"merchant_order_id"}, []string{"merchant_order_id"}, false},
		{"ids are compared with case", want, sdk.Order{"M1", "a1", want.Money}, []string{"merchant_order_id"}, []string{"merchant_order_id"}, false},
		{"no merchant's id", want, sdk.Order{"", "a1", want.Money}, nil, []string{"merchant_order_id"}, false},
		{"another acquirer's id", want, sdk.Order{"m1", "a2", want.Money}, []string{"provider_order_id"}, []string{"provider_order_id"}, false},
		{"no acquirer's id", want, fresh, nil, []string{"provider_order_id"}, false},
		{"the acquirer's id is new", fresh, want, nil, nil, false},
		{"only an id that is new", fresh, sdk.Order{"", "a9", want.Money}, nil, []string{"merchant_order_id"}, true},
		{"less", want, sdk.Order{"m1", "a1", money("9.99", "HKD")}, []string{"amount"}, []string{"amount"}, false},
		{"more", want, sdk.Order{"m1", "a1", money("10.01", "HKD")}, []string{"amount"}, []string{"amount"}, false},
		{"another currency", want, sdk.Order{"m1", "a1", money("10", "CNY")}, []string{"amount"}, []string{"amount"}, false},
		{"no amount", want, sdk.Order{"m1", "a1", sdk.Money{}}, nil, []string{"amount"}, false},
		{"nobody knows the amount", sdk.Order{MerchantOrderID: "m1"}, sdk.Order{MerchantOrderID: "m1"}, nil, []string{"amount"}, false},
	} {
		for _, status := range sdk.Statuses() {
			fields := c.always
			if status == sdk.StatusSucceeded || status == sdk.StatusAuthorized {
				fields = c.paid
			} else if status.Terminal() && c.nobody {
				fields = []string{"merchant_order_id"} // an end of whose order?
			}
			got := sdk.Payment{Order: c.answer, Status: status}.Differences(c.want)
			if !slices.Equal(fieldsOf(got), fields) {
				t.Errorf("%s, %s: %v, want %v", c.name, status, got, fields)
			}
		}
	}
}

func TestRefundDifferences(t *testing.T) {
	want := sdk.RefundQuery{MerchantRefundID: "r1", AcquirerRefundID: "a1", Amount: money("5", "HKD")}
	for _, c := range []struct {
		name          string
		answer        sdk.Refund
		always, ended []string
	}{
		{"the same", sdk.Refund{MerchantRefundID: "r1", AcquirerRefundID: "a1", Amount: money("5.00", "HKD")}, nil, nil},
		{"only the id", sdk.Refund{MerchantRefundID: "r1"}, nil, nil},
		{"nothing is said", sdk.Refund{}, nil, []string{"merchant_refund_id"}},
		{"another id", sdk.Refund{MerchantRefundID: "r2"}, []string{"merchant_refund_id"}, []string{"merchant_refund_id"}},
		{"another acquirer's id", sdk.Refund{MerchantRefundID: "r1", AcquirerRefundID: "a2"}, []string{"provider_refund_id"}, []string{"provider_refund_id"}},
		{"another amount", sdk.Refund{MerchantRefundID: "r1", Amount: money("5.01", "HKD")}, []string{"amount"}, []string{"amount"}},
		{"another currency", sdk.Refund{MerchantRefundID: "r1", Amount: money("5", "CNY")}, []string{"amount"}, []string{"amount"}},
	} {
		for _, status := range []sdk.RefundStatus{sdk.RefundUnknown, sdk.RefundPending, sdk.RefundSucceeded, sdk.RefundFailed} {
			fields := c.always
			if status.Terminal() {
				fields = c.ended
			}
			c.answer.Status = status
			if got := c.answer.Differences(want); !slices.Equal(fieldsOf(got), fields) {
				t.Errorf("%s, %s: %v, want %v", c.name, status, got, fields)
			}
		}
	}
	want.AcquirerRefundID = "" // no answer has named it yet
	if got := (sdk.Refund{MerchantRefundID: "r1", AcquirerRefundID: "a1", Status: sdk.RefundSucceeded}).Differences(want); len(got) > 0 {
		t.Errorf("the acquirer's id is new: %v", got)
	}
}

func fieldsOf(all []sdk.Difference) []string {
	var fields []string
	for _, d := range all {
		fields = append(fields, d.Field)
	}
	return fields
}
