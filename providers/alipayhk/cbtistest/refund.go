package cbtistest

import (
	"cmp"
)

type refundRequest struct {
	PaymentOrderID         string `json:"payment_order_id"`
	MerchantPaymentOrderID string `json:"merchant_payment_order_id"`
	MerchantRefundID       string `json:"merchant_refund_id"`
	Amount                 string `json:"amount"`
	Reason                 string `json:"reason"`
}

type refundQuery struct {
	RefundID         string `json:"refund_id"`
	MerchantRefundID string `json:"merchant_refund_id"`
}

// refundData answers both refund calls: refunds/create shows only the members
// of the documentation's sample, refunds/query all.
type refundData struct {
	RefundID               string `json:"refund_id,omitzero"`
	PaymentOrderID         string `json:"payment_order_id"`
	MerchantPaymentOrderID string `json:"merchant_payment_order_id"`
	MerchantRefundID       string `json:"merchant_refund_id"`
	Amount                 string `json:"amount,omitzero"`
	Currency               string `json:"currency,omitzero"`
	CreateTime             string `json:"create_time"`
	RefundTime             string `json:"refund_time,omitzero"`
	Status                 Status `json:"status"`
}

func (s *Server) refund(c *call) (any, *refusal) {
	var req refundRequest
	if no := s.decode(c, &req); no != nil {
		return nil, no
	}
	no := cmp.Or(
		s.required("merchant_refund_id", req.MerchantRefundID), s.required("amount", req.Amount),
		s.limited("merchant_refund_id", req.MerchantRefundID, maxString), s.limited("reason", req.Reason, 128),
		s.checkAmount(req.Amount))
	if no != nil {
		return nil, no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o, no := s.lookupLocked("payment_order_id", req.PaymentOrderID, "merchant_payment_order_id", req.MerchantPaymentOrderID)
	if no = cmp.Or(no, s.refundableLocked(o, &req)); no != nil {
		return nil, no
	}
	r := s.addRefundLocked(o, &req)
	if err := s.saveLocked(); err != nil {
		return nil, s.unsaved()
	}
	d := s.refunded(o, r)
	d.Amount, d.Currency, d.RefundTime = "", "", ""
	if !s.opt.IncludeRefundID {
		d.RefundID = ""
	}
	return d, nil
}

func (s *Server) refundableLocked(o *Order, req *refundRequest) *refusal {
	if o == nil {
		return nil // refused already
	}
	if _, used := s.db.byRefund[req.MerchantRefundID]; used {
		return refuse(s.opt.Codes.DuplicateRefund, "merchant_refund_id %q was used before", req.MerchantRefundID)
	}
	if o.Status != Succeeded {
		return refuse(s.opt.Codes.NotPaid, "the order is %s, not paid", o.Status)
	}
	if left := o.refundable(); number(req.Amount).GreaterThan(left) {
		return refuse(s.opt.Codes.RefundTooLarge, "only %s is left to refund", left)
	}
	return nil
}

func (s *Server) addRefundLocked(o *Order, req *refundRequest) *Refund {
	now := s.opt.Now()
	o.Refunds = append(o.Refunds, Refund{
		ID: s.newIDLocked(), MerchantRefundID: req.MerchantRefundID, Amount: req.Amount, Reason: req.Reason,
		Status: Pending, CreatedAt: now, Outcome: s.opt.RefundOutcome,
	})
	i := len(o.Refunds) - 1
	s.db.indexRefund(o, i)
	r := &o.Refunds[i]
	switch s.opt.RefundOutcome {
	case RefundSucceeds:
		s.settleLocked(o, r, Succeeded)
	case RefundFails:
		s.settleLocked(o, r, Failed)
	default:
		r.SettleAt = now.Add(s.opt.RefundSettleAfter)
		s.scheduleSettleLocked(r)
	}
	return r
}

// settleLocked ends a refund and notifies the payment's notify_url.
func (s *Server) settleLocked(o *Order, r *Refund, to Status) {
	r.Status, r.SettledAt = to, s.opt.Now()
	s.enqueueLocked(o, r)
	s.opt.Logger.Info("refund settled", "order_id", o.ID, "merchant_refund_id", r.MerchantRefundID, "status", to)
}

func (s *Server) scheduleSettleLocked(r *Refund) {
	if r.Status != Pending {
		return
	}
	to, id := Succeeded, r.ID
	if r.Outcome == RefundPendingFails {
		to = Failed
	}
	s.run.After(r.SettleAt.Sub(s.opt.Now()), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.settleByIDLocked(id, to)
	})
}

// SettleRefund ends a pending refund now, as Succeeded or Failed. id is a refund
// id or a merchant refund id; one that is settled already stays as it is.
func (s *Server) SettleRefund(id string, to Status) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ref, ok := s.db.byRefund[id]
	if ok {
		id = ref.get().ID
	}
	return s.settleByIDLocked(id, to)
}

// SetRefundStatus gives a refund any status, without notifying.
func (s *Server) SetRefundStatus(merchantRefundID string, to Status) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ref, ok := s.db.byRefund[merchantRefundID]
	if !ok {
		return ErrNotFound
	}
	ref.get().Status = to
	return s.saveLocked()
}

func (s *Server) settleByIDLocked(id string, to Status) error {
	ref, ok := s.db.refunds[id]
	if !ok {
		return ErrNotFound
	}
	if ref.get().Status != Pending {
		return ErrClosed
	}
	s.settleLocked(ref.order, ref.get(), to)
	return s.saveLocked()
}

func (s *Server) queryRefund(c *call) (any, *refusal) {
	var req refundQuery
	if no := s.decode(c, &req); no != nil {
		return nil, no
	}
	if req.RefundID == "" && req.MerchantRefundID == "" {
		return nil, refuse(s.opt.Codes.MissingField, "refund_id or merchant_refund_id is required")
	}
	if no := cmp.Or(s.limited("refund_id", req.RefundID, maxString),
		s.limited("merchant_refund_id", req.MerchantRefundID, maxString)); no != nil {
		return nil, no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ref, ok := s.db.refunds[req.RefundID]
	if req.RefundID == "" {
		ref, ok = s.db.byRefund[req.MerchantRefundID]
	}
	if !ok {
		return nil, refuse(s.opt.Codes.NotFound, "no such refund")
	}
	if id := ref.get().MerchantRefundID; req.MerchantRefundID != "" && req.MerchantRefundID != id {
		return nil, refuse(s.opt.Codes.IDMismatch, "refund_id and merchant_refund_id name different refunds")
	}
	return s.refunded(ref.order, ref.get()), nil
}

func (s *Server) refunded(o *Order, r *Refund) refundData {
	d := refundData{
		RefundID: r.ID, PaymentOrderID: o.ID, MerchantPaymentOrderID: o.MerchantOrderID,
		MerchantRefundID: r.MerchantRefundID, Amount: r.Amount, Currency: o.Currency,
		CreateTime: s.apiTime(r.CreatedAt), Status: r.Status,
	}
	if r.Status == Succeeded {
		d.RefundTime = s.apiTime(r.SettledAt)
	}
	return d
}
