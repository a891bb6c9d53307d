package antomtest

import "time"

type paymentKey struct {
	PaymentID        string `json:"paymentId"`
	PaymentRequestID string `json:"paymentRequestId"`
}

type queryAnswer struct {
	Result            Result  `json:"result"`
	PaymentStatus     Status  `json:"paymentStatus"`
	PaymentRequestID  string  `json:"paymentRequestId"`
	PaymentID         string  `json:"paymentId"`
	PaymentAmount     *Amount `json:"paymentAmount"`
	PaymentCreateTime string  `json:"paymentCreateTime"`
	PaymentTime       string  `json:"paymentTime,omitzero"`
}

// lookupLocked finds the payment that a request names, or says why not. The
// paymentId goes first. A payment is known only under the path it was made.
func (s *Server) lookupLocked(c *call) (*Order, any) {
	var key paymentKey
	if err := decode(c, &key); err != nil {
		return nil, refuse(s.opt.Codes.BadRequest, "%v", err)
	}
	for _, o := range s.orders {
		named := key.PaymentID != "" && o.PaymentID == key.PaymentID ||
			key.PaymentID == "" && key.PaymentRequestID != "" && o.PaymentRequestID == key.PaymentRequestID
		if named && o.base == c.base {
			s.expireLocked(o)
			return o, nil
		}
	}
	return nil, refuse(s.opt.Codes.OrderNotFound, "there is no such payment")
}

func (s *Server) query(c *call) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, no := s.lookupLocked(c)
	if no != nil {
		return no
	}
	amount := o.Amount
	a := queryAnswer{
		Result: success, PaymentStatus: o.Status, PaymentRequestID: o.PaymentRequestID, PaymentID: o.PaymentID,
		PaymentAmount: &amount, PaymentCreateTime: apiTime(o.CreatedAt),
	}
	if !o.PaidAt.IsZero() {
		a.PaymentTime = apiTime(o.PaidAt)
	}
	return a
}

type cancelAnswer struct {
	Result           Result `json:"result"`
	PaymentRequestID string `json:"paymentRequestId"`
	PaymentID        string `json:"paymentId"`
	CancelTime       string `json:"cancelTime"`
}

// cancelPayment closes a payment. One that is paid is given back in full.
func (s *Server) cancelPayment(c *call) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, no := s.lookupLocked(c)
	switch {
	case no != nil:
		return no
	case o.Status == Fail:
		return refuse(s.opt.Codes.TooLate, "the payment has failed")
	case o.Status != Cancelled:
		if !s.opt.Now().Before(lastCancel(o.CreatedAt)) {
			return refuse(s.opt.Codes.TooLate, "the time for a cancel is over")
		}
		o.Status, o.EndedAt = Cancelled, s.opt.Now() // PaidAt stays: the ledger has both movements
	}
	return cancelAnswer{success, o.PaymentRequestID, o.PaymentID, apiTime(o.EndedAt)}
}

// lastCancel is 00:15 of the next day in Hong Kong.
func lastCancel(created time.Time) time.Time {
	year, month, day := created.In(hongKong).Date()
	return time.Date(year, month, day+1, 0, 15, 0, 0, hongKong)
}
