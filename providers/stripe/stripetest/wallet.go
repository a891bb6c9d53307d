package stripetest

import (
	"net/http"
	"strings"

	"github.com/paymux/paymux/providers/internal/sandbox"
	"github.com/paymux/paymux/sdk"
)

func (s *Server) routeWallet(mux *http.ServeMux) {
	sandbox.Wallet[Intent]{Find: s.intent, View: view, Pay: s.Pay, Cancel: s.Fail, Closed: ErrClosed}.Route(mux)
}

func (s *Server) intent(id string) (Intent, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in := s.byIDLocked(id); in != nil {
		return in.clone(), true
	}
	return Intent{}, false
}

func view(in Intent) sandbox.Payment {
	p := sandbox.Payment{
		Wallet: "Alipay", ID: in.ID, MerchantOrderID: in.MerchantOrderID(), Description: in.Description,
		Status: in.Status, ReturnURL: in.ReturnURL, Open: in.Status == RequiresAction, Paid: in.Status == Succeeded,
	}
	if money, err := sdk.FromMinor(in.Amount, strings.ToUpper(in.Currency)); err == nil {
		p.Currency, p.Amount = money.Currency(), money.AmountString()
	}
	return p
}
