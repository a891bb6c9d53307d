package antom

import (
	"context"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// Cancel closes an unpaid order. The acquirer's cancel gives the money of a paid
// one back, which is no cancel's business: so the payment is looked at before,
// and only a pending one is cancelled. Who pays between the two gets the money
// back; the acquirer then says CANCELLED, and it stays so.
//
// What cancel answers is the fate of the call. The payment's state comes from a
// second look.
func (p *provider) Cancel(ctx context.Context, req sdk.CancelRequest) (sdk.Payment, error) {
	before, err := p.Query(ctx, sdk.QueryRequest{Order: req.Order})
	if err != nil {
		e := *sdk.AsError(err)
		e.Outcome = sdk.OutcomeNotSent // the cancel, that is
		return sdk.Payment{}, &e
	}
	if before.Status != sdk.StatusPending || len(before.Differences(req.Order)) > 0 {
		return before, nil
	}
	body, err := buildQuery(req.Order)
	if err != nil {
		return sdk.Payment{}, err
	}
	if _, err := exchange(ctx, p, callCancel, body, p.config.readCancel); err != nil {
		return sdk.Payment{}, err
	}
	after, err := p.Query(ctx, sdk.QueryRequest{Order: req.Order})
	if err != nil {
		e := *sdk.AsError(err)
		e.Outcome = sdk.OutcomeUnknown
		return sdk.Payment{}, &e
	}
	if after.Status == sdk.StatusSucceeded {
		// Cancelled wins over paid, so this look may just have come too early:
		// taken for success, goods would go out for money that goes back.
		after.Status, after.StatusReason = sdk.StatusUnknown, "the acquirer took the cancel and yet says paid: it has to be asked again"
	}
	return after, nil
}

// readCancel reads the answer to cancel, which says no more than done or not.
func (c config) readCancel(resp acquirer.Response) (struct{}, error) {
	var data struct{}
	_, err := c.readAnswer(resp, callCancel, &data)
	return data, err
}
