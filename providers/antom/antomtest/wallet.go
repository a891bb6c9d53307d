package antomtest

import (
	"net/http"

	"github.com/shopspring/decimal"

	"github.com/paymux/paymux/providers/internal/sandbox"
)

var walletNames = map[string]string{"ALIPAY_HK": "AlipayHK", "ALIPAY_CN": "Alipay", "CONNECT_WALLET": "Wallet"}

func (s *Server) routeWallet(mux *http.ServeMux) {
	sandbox.Wallet[Order]{Find: s.byPaymentID, View: view, Pay: s.Pay, Cancel: s.Cancel, Closed: ErrClosed}.Route(mux)
}

func (s *Server) byPaymentID(id string) (Order, bool) {
	o, ok := s.Order(id)
	return o, ok && o.PaymentID == id
}

func view(o Order) sandbox.Payment {
	return sandbox.Payment{
		Wallet: walletNames[o.Method], ID: o.PaymentID, MerchantOrderID: o.PaymentRequestID, Description: o.Description,
		Currency: o.Amount.Currency, Amount: decimal.New(minor(o.Amount), -2).StringFixed(2), // HKD and CNY both have two
		Status: string(o.Status), ReturnURL: o.RedirectURL, Open: o.open(), Paid: o.Status == Success,
	}
}
