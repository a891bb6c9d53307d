package cbtistest

import (
	"net/http"

	"github.com/paymux/paymux/providers/internal/sandbox"
)

func (s *Server) routeWallet(mux *http.ServeMux) {
	sandbox.Wallet[Order]{Find: s.byOrderID, View: s.view, Pay: s.Pay, Cancel: s.Cancel, Closed: ErrClosed}.Route(mux)
}

func (s *Server) byOrderID(id string) (Order, bool) {
	o, ok := s.Order(id)
	return o, ok && o.ID == id
}

func (s *Server) view(o Order) sandbox.Payment {
	amount := number(o.Amount)
	if s.opt.AmountUnit == Minor {
		amount = amount.Shift(-2)
	}
	wallet := "AlipayHK"
	if o.Wallet == "ALIPAYCN" {
		wallet = "Alipay"
	}
	return sandbox.Payment{
		Wallet: wallet, ID: o.ID, MerchantOrderID: o.MerchantOrderID, Description: o.Description,
		Currency: o.Currency, Amount: amount.StringFixed(2), Status: string(o.Status), ReturnURL: o.ReturnURL,
		Open: o.Status == Pending, Paid: o.Status == Succeeded,
	}
}
