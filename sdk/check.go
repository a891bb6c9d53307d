package sdk

import "fmt"

// Difference is one thing in which an acquirer's answer is not about our order.
type Difference struct {
	Field string `json:"field"`
	Want  string `json:"want"`
	Got   string `json:"got"`
}

// String prints the difference.
func (d Difference) String() string { return fmt.Sprintf("%s is %q, not %q", d.Field, d.Got, d.Want) }

// Differences compares an answer with the order that was asked about. Host and
// adapters share it: a payment is believed to be paid only if this is empty.
//
// Whatever the acquirer says must be ours. What it leaves out counts as a
// difference once it claims to have (or hold) the money, and an end of any kind
// must at least name the order by an id that we know: another order's end, taken
// for ours, would let the payer pay twice.
func (p Payment) Differences(want Order) []Difference {
	claimsMoney := p.Status == StatusSucceeded || p.Status == StatusAuthorized
	var all []Difference
	add := func(field, want, got string, said, equal bool) {
		if said && !equal || !said && claimsMoney {
			all = append(all, Difference{field, want, got})
		}
	}
	add("merchant_order_id", want.MerchantOrderID, p.MerchantOrderID, p.MerchantOrderID != "", p.MerchantOrderID == want.MerchantOrderID)
	if want.AcquirerOrderID != "" {
		add("provider_order_id", want.AcquirerOrderID, p.AcquirerOrderID, p.AcquirerOrderID != "", p.AcquirerOrderID == want.AcquirerOrderID)
	}
	named := p.MerchantOrderID != "" || p.AcquirerOrderID != "" && want.AcquirerOrderID != ""
	if p.Status.Terminal() && !claimsMoney && !named {
		all = append(all, Difference{"merchant_order_id", want.MerchantOrderID, ""})
	}
	add("amount", want.Money.String(), p.Money.String(), !p.Money.IsZero(), p.Money.Equal(want.Money))
	return all
}

// Differences compares a refund's answer with what was asked. An end must name
// our refund: one that is called failed by mistake is paid twice.
func (r Refund) Differences(want RefundQuery) []Difference {
	var all []Difference
	if r.MerchantRefundID != want.MerchantRefundID && (r.MerchantRefundID != "" || r.Status.Terminal()) {
		all = append(all, Difference{"merchant_refund_id", want.MerchantRefundID, r.MerchantRefundID})
	}
	if want.AcquirerRefundID != "" && r.AcquirerRefundID != "" && r.AcquirerRefundID != want.AcquirerRefundID {
		all = append(all, Difference{"provider_refund_id", want.AcquirerRefundID, r.AcquirerRefundID})
	}
	if !r.Amount.IsZero() && !r.Amount.Equal(want.Amount) {
		all = append(all, Difference{"amount", want.Amount.String(), r.Amount.String()})
	}
	return all
}

// ValidOrderID reports whether s can name an attempt: [A-Za-z0-9_-]{1,32}.
func ValidOrderID(s string) bool {
	if len(s) == 0 || len(s) > 32 {
		return false
	}
	for _, c := range []byte(s) {
		if !isDigit(c) && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
