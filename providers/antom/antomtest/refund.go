package antomtest

import "time"

const refundWindow = 365 * 24 * time.Hour

type refundRequest struct {
	RefundRequestID string `json:"refundRequestId"`
	PaymentID       string `json:"paymentId"`
	RefundAmount    Amount `json:"refundAmount"`
	RefundNotifyURL string `json:"refundNotifyUrl"`
}

type refundKey struct {
	RefundRequestID string `json:"refundRequestId"`
	RefundID        string `json:"refundId"`
}

type refundAnswer struct {
	Result          Result  `json:"result"`
	RefundStatus    Status  `json:"refundStatus,omitzero"`
	RefundRequestID string  `json:"refundRequestId"`
	RefundID        string  `json:"refundId"`
	PaymentID       string  `json:"paymentId,omitzero"`
	RefundAmount    *Amount `json:"refundAmount"`
	RefundTime      string  `json:"refundTime,omitzero"`
}

func (s *Server) refund(c *call) any {
	var req refundRequest
	codes := s.opt.Codes
	if err := decode(c, &req); err != nil {
		return refuse(codes.BadRequest, "%v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.refunds[req.RefundRequestID]; r != nil {
		if r.Amount != req.RefundAmount || r.order.PaymentID != req.PaymentID {
			return refuse(codes.Reused, "the refundRequestId was used for another refund")
		}
		return refundedNow(r, false)
	}
	o := s.findLocked(req.PaymentID)
	switch {
	case req.RefundRequestID == "" || len(req.RefundRequestID) > 64 || !wholeAmount.MatchString(req.RefundAmount.Value):
		return refuse(codes.BadRequest, "refundRequestId or refundAmount is ill-formed")
	case o == nil || o.PaymentID != req.PaymentID || o.base != c.base:
		return refuse(codes.OrderNotFound, "there is no such payment")
	case o.Status != Success:
		return refuse(codes.NotPaid, "the payment is %s", o.Status)
	case s.opt.Now().Sub(o.PaidAt) > refundWindow:
		return refuse(codes.TooLate, "the time for a refund is over")
	case req.RefundAmount.Currency != o.Amount.Currency || minor(req.RefundAmount) > o.left():
		return refuse(codes.TooMuch, "not so much is left")
	}
	r := &Refund{RefundID: newID(), RefundRequestID: req.RefundRequestID, Amount: req.RefundAmount, Status: Processing, order: o}
	if !s.opt.RefundsPend {
		r.Status, r.SettledAt = Success, s.opt.Now()
	}
	o.Refunds = append(o.Refunds, r)
	s.refunds[r.RefundRequestID] = r
	return refundedNow(r, false)
}

// SettleRefund ends a refund that is under way, as Success or Fail.
func (s *Server) SettleRefund(refundRequestID string, to Status) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.refunds[refundRequestID]
	switch {
	case r == nil:
		return ErrNotFound
	case r.Status != Processing:
		return ErrClosed
	}
	r.Status, r.SettledAt = to, s.opt.Now()
	return nil
}

// SetRefundStatus gives a refund any status, also one that the acquirer doesn't have.
func (s *Server) SetRefundStatus(refundRequestID string, to Status) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.refunds[refundRequestID]
	if r == nil {
		return ErrNotFound
	}
	r.Status, r.SettledAt = to, s.opt.Now()
	return nil
}

func (s *Server) queryRefund(c *call) any {
	var key refundKey
	if err := decode(c, &key); err != nil {
		return refuse(s.opt.Codes.BadRequest, "%v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.refunds {
		named := key.RefundID != "" && r.RefundID == key.RefundID || key.RefundID == "" && r.RefundRequestID == key.RefundRequestID
		if named && r.order.base == c.base {
			return refundedNow(r, true)
		}
	}
	return refuse(s.opt.Codes.NoRefund, "there is no such refund")
}

func refundedNow(r *Refund, inquired bool) refundAnswer {
	amount := r.Amount
	a := refundAnswer{Result: success, RefundRequestID: r.RefundRequestID, RefundID: r.RefundID, RefundAmount: &amount}
	if inquired {
		a.RefundStatus = r.Status
	} else {
		a.PaymentID = r.order.PaymentID
	}
	if r.Status == Success {
		a.RefundTime = apiTime(r.SettledAt)
	}
	return a
}
