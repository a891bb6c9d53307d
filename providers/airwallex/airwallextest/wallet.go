package airwallextest

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/paymux/paymux/providers/internal/sandbox"
)

func (s *Server) routeWallet(mux *http.ServeMux) {
	sandbox.Wallet[Intent]{Find: s.byLink, View: view, Pay: s.Pay, Cancel: s.Reject, Closed: ErrState}.Route(mux)
}

// byLink finds an intent that was confirmed: only then it has a link.
func (s *Server) byLink(id string) (Intent, bool) {
	in, err := s.Intent(id)
	return in, err == nil && in.ID == id && in.Link != ""
}

func view(in Intent) sandbox.Payment {
	wallet := "AlipayHK"
	if in.Method == "alipaycn" {
		wallet = "Alipay"
	}
	return sandbox.Payment{
		Wallet: wallet, ID: in.ID, MerchantOrderID: in.MerchantOrderID, Description: in.Descriptor,
		Currency: in.Currency, Amount: in.Amount, Status: string(in.Status), ReturnURL: in.ReturnURL,
		Open: in.Status == RequiresCustomerAction, Paid: in.Status == Succeeded,
	}
}

// simulate presses a button of the wallet page through the API, as the
// acquirer's own sandbox offers it.
func (s *Server) simulate(c *call) (int, any, *refusal) {
	var req struct {
		URL string `json:"url"`
	}
	if no := s.decode(c, &req); no != nil {
		return 0, nil, no
	}
	u, err := url.Parse(req.URL)
	act, known := map[string]func(string) (Intent, error){"pay": s.Pay, "reject": s.Reject}[c.r.PathValue("action")]
	if err != nil || !known {
		return 0, nil, s.notFound()
	}
	id, found := strings.CutPrefix(u.Path, "/wallet/")
	if !found {
		return 0, nil, s.invalid("url", "is no next_action.url")
	}
	if _, err := act(id); err != nil {
		return 0, nil, &refusal{http.StatusBadRequest, s.opt.Codes.BadState, "the payer can't act on this payment", "url"}
	}
	return http.StatusOK, []byte{}, nil
}
