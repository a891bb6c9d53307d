package host

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

// ReviewRequest is what a person decides about a payment that is under review.
type ReviewRequest struct {
	Decision string `json:"decision"` // accept or dismiss
	Note     string `json:"note"`     // why, for those who look later: 1 to 500 characters
}

// The decisions.
const (
	DecisionAccept  = "accept"  // what was observed is right
	DecisionDismiss = "dismiss" // nothing is to be done
)

const maxNote = 500

// errDecided says that the same was decided before.
var errDecided = errors.New("the same was decided before")

// Review decides about a payment that is under review. The same decision again
// changes nothing. The timeline keeps each decision with its note.
func (h *Host) Review(ctx context.Context, merchant, id string, r ReviewRequest) (Payment, error) {
	if err := r.validate(); err != nil {
		return Payment{}, err
	}
	if _, err := h.rowOf(ctx, merchant, id); err != nil {
		return Payment{}, err
	}
	if !h.begin() {
		return Payment{}, shuttingDown()
	}
	defer h.work.Done()
	err := h.settle(id, func(tx *store.Tx, p *sqlgen.Payment) ([]entry, error) { return h.decide(tx, p, r) })
	if err != nil && !errors.Is(err, errDecided) {
		return Payment{}, storeError(err)
	}
	return h.read(context.WithoutCancel(ctx), id)
}

func (r ReviewRequest) validate() error {
	if r.Decision != DecisionAccept && r.Decision != DecisionDismiss {
		return sdk.InvalidField("decision", "must be %s or %s", DecisionAccept, DecisionDismiss)
	}
	if n := utf8.RuneCountInString(r.Note); n == 0 || n > maxNote || !printable(r.Note) {
		return sdk.InvalidField("note", "must have 1 to %d printable characters%s", maxNote, unprintable(r.Note))
	}
	return nil
}

// underReview reports whether a payment waits for a person's decision.
func underReview(p sqlgen.Payment) bool { return p.ReviewReason != "" && p.ReviewDecision == "" }

func invalidState(words string, args ...any) *sdk.Error {
	return sdk.NotSent(sdk.CodeInvalidState, words, args...)
}

func (h *Host) decide(tx *store.Tx, p *sqlgen.Payment, r ReviewRequest) ([]entry, error) {
	switch p.ReviewDecision {
	case "":
	case r.Decision:
		return nil, errDecided
	default:
		return nil, invalidState("the decision was %s; there is another one to take only if something new is observed", p.ReviewDecision)
	}
	if p.ReviewReason == "" {
		return nil, invalidState("there is nothing to decide: the payment isn't under review")
	}
	var entries []entry
	if r.Decision == DecisionAccept {
		var err error
		if entries, err = h.accept(tx, p); err != nil {
			return nil, err
		}
	} else {
		h.askOn(p)
	}
	if err := h.askOnRefunds(tx, p.ID); err != nil {
		return nil, err
	}
	p.ReviewDecision, p.ReviewSince = r.Decision, micros(h.clock.Now())
	audit := fmt.Sprintf("%s of %s: %s", r.Decision, p.ReviewReason, r.Note)
	return append(entries, entry{kind: kindReview, source: sourceMerchant, detail: audit}), nil
}

// accept takes over what a person believes although the host couldn't.
func (h *Host) accept(tx *store.Tx, p *sqlgen.Payment) ([]entry, error) {
	var seen observation
	if err := json.Unmarshal([]byte(p.ReviewObserved), &seen); err != nil {
		return nil, err
	}
	is := statusOf(*p)
	to, refusal := lifecycle.Accept(is, lifecycle.ReviewReason(p.ReviewReason), sdk.ParseStatus(seen.Status))
	if refusal != "" {
		return nil, invalidState("%s", refusal)
	}
	if to == is {
		return nil, nil
	}
	if err := h.belongsToNoOther(tx, *p, seen); err != nil {
		return nil, err
	}
	if p.AcquirerOrderID == "" {
		p.AcquirerOrderID = seen.ProviderOrderID
	}
	if to == sdk.StatusSucceeded {
		p.PaidAt = micros(seen.PaidAt)
	}
	p.ErrorCode, p.RawStatus, p.StatusReason = 0, seen.RawStatus, seen.StatusReason
	v := lifecycle.Verdict{Status: to, Moved: true, Detail: "a person accepted what the acquirer said"}
	return h.applyVerdict(p, v, sourceReview, seen.RawStatus, ""), nil
}

// belongsToNoOther keeps one order at the acquirer from ending two payments,
// whatever a person thinks.
func (h *Host) belongsToNoOther(tx *store.Tx, p sqlgen.Payment, seen observation) error {
	ctx := context.WithoutCancel(h.life)
	owners, err := tx.PaymentByAcquirerOrder(ctx, sqlgen.PaymentByAcquirerOrderParams{Account: p.Account, AcquirerOrderID: seen.ProviderOrderID})
	if err != nil {
		return err
	}
	var ids []string
	for _, o := range owners {
		ids = append(ids, o.ID)
	}
	owner, err := tx.SentOrder(ctx, sqlgen.SentOrderParams{Account: p.Account, MerchantOrderID: seen.MerchantOrderID})
	if err == nil {
		ids = append(ids, owner)
	} else if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	for _, id := range ids {
		if id != p.ID {
			return invalidState("what was observed is about the order of another payment: dismiss the review; the acquirer is asked on")
		}
	}
	return nil
}

// askOn has the acquirer asked by plan again about a payment that it was no
// longer asked about.
func (h *Host) askOn(p *sqlgen.Payment) {
	stopped := p.DueAt == 0 || p.ReviewReason == string(lifecycle.ProviderMissing)
	if statusOf(*p).Terminal() || p.CreateState != createAnswered || !stopped {
		return
	}
	p.Tries = 0
	p.DueAt = micros(lifecycle.NextQuery(h.planOf(p.Provider), 0, h.clock.Now()))
}

// askOnRefunds does the same for the refunds of a payment.
func (h *Host) askOnRefunds(tx *store.Tx, payment string) error {
	ctx, now := context.WithoutCancel(h.life), h.clock.Now()
	refunds, err := tx.RefundsOfPayment(ctx, payment)
	if err != nil {
		return err
	}
	for _, r := range refunds {
		if refundStatus(r).Terminal() || r.SendState != refundAnswered || r.DueAt > 0 || r.Holder != "" {
			continue
		}
		before := r
		r.Tries, r.DueAt = 0, micros(lifecycle.NextQuery(h.planOf(r.Provider), 0, now))
		r.ReviewReason, r.ReviewSince, r.UpdatedAt = "", micros(now), micros(now)
		if err := h.writeRefund(ctx, tx, before, r); err != nil {
			return err
		}
	}
	return nil
}

// claimGroup notes the first payment of an order group that is paid, and flags
// each later one: the shopper has paid twice.
func (h *Host) claimGroup(ctx context.Context, tx *store.Tx, before sqlgen.Payment, p *sqlgen.Payment) ([]entry, error) {
	if p.OrderGroup == "" || statusOf(*p) != sdk.StatusSucceeded || statusOf(before) == sdk.StatusSucceeded {
		return nil, nil
	}
	n, err := tx.ClaimPaidGroup(ctx, sqlgen.ClaimPaidGroupParams{Merchant: p.Merchant, OrderGroup: p.OrderGroup, PaymentID: p.ID})
	if err != nil || n == 1 {
		return nil, err
	}
	first, err := tx.PaidGroup(ctx, sqlgen.PaidGroupParams{Merchant: p.Merchant, OrderGroup: p.OrderGroup})
	if err != nil || first == p.ID {
		return nil, err
	}
	evidence, _ := json.Marshal(map[string]string{"payment_id": first})
	flag(p, lifecycle.DuplicatePayment, h.clock.Now(), string(evidence))
	return []entry{{kind: kindReview, source: sourceHost, detail: string(lifecycle.DuplicatePayment) + ": " + first + " of the same order_group was paid before"}}, nil
}

// observation is what a person sees of an answer that needs a review.
type observation struct {
	MerchantOrderID string    `json:"merchant_order_id"`
	ProviderOrderID string    `json:"provider_order_id"`
	Amount          string    `json:"amount"`
	Currency        string    `json:"currency"`
	Status          string    `json:"status"`
	RawStatus       string    `json:"raw_status"`
	StatusReason    string    `json:"status_reason"`
	PaidAt          time.Time `json:"paid_at,omitzero"`
	RequestID       string    `json:"request_id"`
}

// flag asks for a person to look at a payment. What was decided before was about
// something else. But that money came late permits refunds: this flag stays, the
// timeline has the other, and there is a decision to take again.
func flag(p *sqlgen.Payment, why lifecycle.ReviewReason, now time.Time, evidence string) {
	if paidLate(*p) && why != lifecycle.LateSuccess {
		p.ReviewSince, p.ReviewDecision = micros(now), ""
		return
	}
	p.ReviewReason, p.ReviewSince, p.ReviewObserved, p.ReviewDecision = string(why), micros(now), evidence, ""
}

// isNews reports whether a person has to be told. What was decided is not asked
// again each time that the acquirer repeats it.
func isNews(p sqlgen.Payment, why lifecycle.ReviewReason, evidence string) bool {
	switch {
	case p.ReviewReason != string(why):
		return true
	case underReview(p):
		return false
	}
	var before, now observation
	_ = json.Unmarshal([]byte(p.ReviewObserved), &before)
	_ = json.Unmarshal([]byte(evidence), &now)
	differs := func(a, b string) bool { return a != "" && b != "" && a != b }
	return before.Status != now.Status || differs(before.Amount, now.Amount) || differs(before.Currency, now.Currency) ||
		differs(before.MerchantOrderID, now.MerchantOrderID) || differs(before.ProviderOrderID, now.ProviderOrderID)
}
