package cbtistest

import "cmp"

type queryRequest struct {
	OrderID         string `json:"order_id"`
	MerchantOrderID string `json:"merchant_order_id"`
}

// queryData answers query, in the order of the sample.
type queryData struct {
	OrderID         string `json:"order_id"`
	MerchantOrderID string `json:"merchant_order_id"`
	Amount          string `json:"amount"`
	Currency        string `json:"currency"`
	Status          Status `json:"status"`
	CreateTime      string `json:"create_time"`
	PayTime         any    `json:"pay_time,omitzero"`
}

func (s *Server) query(c *call) (any, *refusal) {
	var req queryRequest
	if no := s.decode(c, &req); no != nil {
		return nil, no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o, no := s.lookupLocked("order_id", req.OrderID, "merchant_order_id", req.MerchantOrderID)
	if no != nil {
		return nil, no
	}
	return s.queried(o), nil
}

// lookupLocked finds the order named by one id or by both, which must then agree.
func (s *Server) lookupLocked(idName, id, merchantName, merchantID string) (*Order, *refusal) {
	codes := s.opt.Codes
	if id == "" && merchantID == "" {
		return nil, refuse(codes.MissingField, "%s or %s is required", idName, merchantName)
	}
	if no := cmp.Or(s.limited(idName, id, maxString), s.limited(merchantName, merchantID, maxString)); no != nil {
		return nil, no
	}
	o := s.db.byID[id]
	if id == "" {
		o = s.db.byMerchant[merchantID]
	}
	if o == nil {
		return nil, refuse(codes.NotFound, "no such order")
	}
	if id != "" && merchantID != "" && o.MerchantOrderID != merchantID {
		return nil, refuse(codes.IDMismatch, "%s and %s name different orders", idName, merchantName)
	}
	s.expireLocked(o)
	return o, nil
}

func (s *Server) queried(o *Order) queryData {
	d := queryData{
		OrderID: o.ID, MerchantOrderID: o.MerchantOrderID, Amount: o.Amount, Currency: o.Currency,
		Status: o.Status, CreateTime: s.apiTime(o.CreatedAt), PayTime: s.unpaid(),
	}
	if !o.PaidAt.IsZero() {
		d.PayTime = s.apiTime(o.PaidAt)
	}
	return d
}

func (s *Server) unpaid() any {
	switch s.opt.UnpaidPayTime {
	case PayTimeNull:
		return (*string)(nil) // written as null, not left out
	case PayTimeEmpty:
		return ""
	}
	return nil
}
