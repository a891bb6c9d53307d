package host

import (
	"encoding/json"
	"time"

	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

// Payment is a payment as merchants see it, in the words of the HTTP API.
type Payment struct {
	ID              string            `json:"id"`
	MerchantOrderID string            `json:"merchant_order_id"`
	OrderGroup      string            `json:"order_group,omitempty"`
	Amount          string            `json:"amount"`
	Currency        string            `json:"currency"`
	Method          sdk.Method        `json:"method"`
	Flow            sdk.Flow          `json:"flow"`
	Description     string            `json:"description"`
	ReturnURL       string            `json:"return_url,omitempty"`
	Metadata        map[string]string `json:"metadata,omitempty"`
	Status          string            `json:"status"`
	StatusReason    string            `json:"status_reason,omitempty"`
	// Code is the name of the error by which a payment is FAILED or UNKNOWN.
	Code            string          `json:"code,omitempty"`
	Provider        string          `json:"provider"`
	ProviderOrderID string          `json:"provider_order_id"`
	NextAction      *sdk.NextAction `json:"next_action,omitempty"`
	// OtherActions are alternatives to NextAction, the better first.
	OtherActions   []sdk.NextAction `json:"other_actions,omitempty"`
	CreatedAt      time.Time        `json:"created_at"`
	UpdatedAt      time.Time        `json:"updated_at"`
	PaidAt         time.Time        `json:"paid_at,omitzero"`
	AmountRefunded string           `json:"amount_refunded"`
	Review         *Review          `json:"review,omitempty"`
	Timeline       []TimelineEntry  `json:"timeline,omitempty"`
}

// Review says that a person has to look at the payment, and why.
type Review struct {
	Reason   lifecycle.ReviewReason `json:"reason"`
	Observed json.RawMessage        `json:"observed"` // what the acquirer said
	Since    time.Time              `json:"since"`
}

// TimelineEntry is one thing that happened to a payment.
type TimelineEntry struct {
	Sequence  int64     `json:"sequence"`
	At        time.Time `json:"at"`
	Kind      string    `json:"kind"`   // status, note or review
	Status    string    `json:"status"` // after it
	Source    string    `json:"source"` // who said so: merchant, host, create, query, cancel, notification or review
	Provider  string    `json:"provider,omitempty"`
	RawStatus string    `json:"raw_status,omitempty"` // the acquirer's own word
	Detail    string    `json:"detail,omitempty"`
	EventID   string    `json:"event_id,omitempty"` // the event that tells of it
}

func toPayment(row sqlgen.Payment, timeline []sqlgen.Timeline) (Payment, error) {
	p := Payment{
		ID: row.ID, MerchantOrderID: row.MerchantOrderID, OrderGroup: row.OrderGroup, Amount: row.Amount, Currency: row.Currency,
		Method: sdk.Method(row.Method), Flow: sdk.Flow(row.Flow), Description: row.Description, ReturnURL: row.ReturnUrl,
		Status: row.Status, StatusReason: row.StatusReason, Provider: row.Provider, ProviderOrderID: row.AcquirerOrderID,
		CreatedAt: fromMicros(row.CreatedAt), UpdatedAt: fromMicros(row.UpdatedAt), PaidAt: fromMicros(row.PaidAt),
	}
	if row.ErrorCode != 0 && (statusOf(row) == sdk.StatusFailed || statusOf(row) == sdk.StatusUnknown) {
		p.Code = sdk.Code(row.ErrorCode).Name()
	}
	if underReview(row) {
		p.Review = &Review{lifecycle.ReviewReason(row.ReviewReason), json.RawMessage(row.ReviewObserved), fromMicros(row.ReviewSince)}
	}
	if err := json.Unmarshal([]byte(row.Metadata), &p.Metadata); err != nil {
		return p, err
	}
	actions, err := actionsOf(row)
	if err != nil {
		return p, err
	}
	if len(actions) > 0 && !statusOf(row).Terminal() {
		p.NextAction, p.OtherActions = &actions[0], actions[1:]
	}
	p.AmountRefunded = row.AmountRefunded
	for _, e := range timeline {
		p.Timeline = append(p.Timeline, TimelineEntry{e.Seq, fromMicros(e.At), e.Kind, e.Status, e.Source, e.Provider, e.RawStatus, e.Detail, e.EventID})
	}
	return p, err
}

func statusOf(row sqlgen.Payment) sdk.Status { return sdk.ParseStatus(row.Status) }

func actionsOf(row sqlgen.Payment) (actions []sdk.NextAction, err error) {
	return actions, json.Unmarshal([]byte(row.NextActions), &actions)
}

// orderOf is what the acquirer is asked about, and what its answers must name.
func orderOf(row sqlgen.Payment) (sdk.Order, error) {
	money, err := sdk.ParseMoney(row.Amount, row.Currency)
	return sdk.Order{MerchantOrderID: row.MerchantOrderID, AcquirerOrderID: row.AcquirerOrderID, Money: money}, err
}

// stateOf is what the rules need to know.
func stateOf(row sqlgen.Payment) (lifecycle.Payment, error) {
	order, err := orderOf(row)
	return lifecycle.Payment{
		Status: statusOf(row), Order: order, SentAt: fromMicros(row.SentAt), ActionHanded: row.NextActions != noActions,
	}, err
}

// noActions is an empty list of next actions. Once a list was recorded it stays,
// so that ActionHanded is never forgotten.
const noActions = "[]"

// noEvidence is what is observed where nothing is.
const noEvidence = "null"
