package provider

import "github.com/paymux/paymux/sdk"

// judge is told of answers that break the contract; *process.Process is one.
// Several about the same order count once: the acquirer may be wrong about that
// one, and it is asked about again and again.
type judge interface{ Lied(subject, how string) }

// lied reports an answer that breaks the contract. Answers to notifications
// aren't judged: strangers write those.
func (p *Provider) lied(subject, how string) {
	if j, ok := p.services.(judge); ok {
		j.Lied(subject, "provider "+p.instance.GetName()+", "+subject+": "+how)
	}
}

// judgeError looks whether a failure is the plugin's own words breaking the contract.
func (p *Provider) judgeError(subject string, err error) {
	if err != nil && sdk.AsError(err).Code == sdk.CodePluginAnswerInvalid && sdk.AsError(err).Outcome == sdk.OutcomeUnknown {
		p.lied(subject, sdk.AsError(err).Error())
	}
}

// judged looks whether an answer about a payment is about the one that was asked
// about. What the answer does to the payment is the host's to decide; who often
// answers about something else isn't asked any more.
func (p *Provider) judged(asked sdk.Order, answer sdk.Payment, err error) (sdk.Payment, error) {
	p.judgeError(asked.MerchantOrderID, err)
	if err != nil {
		return answer, err
	}
	switch m := answer.Money; {
	case answer.MerchantOrderID != "" && answer.MerchantOrderID != asked.MerchantOrderID:
		p.lied(asked.MerchantOrderID, "the answer is about order "+answer.MerchantOrderID)
	case asked.AcquirerOrderID != "" && answer.AcquirerOrderID != "" && answer.AcquirerOrderID != asked.AcquirerOrderID:
		p.lied(asked.MerchantOrderID, "the answer is about the acquirer's order "+answer.AcquirerOrderID)
	case !m.IsZero() && !m.Equal(asked.Money):
		p.lied(asked.MerchantOrderID, "the answer is about "+m.String())
	}
	return answer, nil
}

func (p *Provider) judgedRefund(subject string, answer sdk.Refund, err error) (sdk.Refund, error) {
	p.judgeError(subject, err)
	if err == nil && answer.MerchantRefundID != "" && answer.MerchantRefundID != subject {
		p.lied(subject, "the answer is about refund "+answer.MerchantRefundID)
	}
	return answer, err
}
