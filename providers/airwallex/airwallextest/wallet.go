package airwallextest

import (
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

//go:embed wallet.html
var walletHTML string

var walletPage = template.Must(template.New("wallet").Parse(walletHTML))

func (s *Server) routeWallet(mux *http.ServeMux) {
	mux.HandleFunc("GET /wallet/{id}", func(w http.ResponseWriter, r *http.Request) { s.showWallet(w, r, http.StatusOK) })
	mux.HandleFunc("POST /wallet/{id}/{button}", s.pressButton)
}

// walletData is what the page shows. ID is empty if there is no such intent.
type walletData struct {
	Intent
	Brand   string
	Open    bool
	Outcome string
}

func (s *Server) showWallet(w http.ResponseWriter, r *http.Request, status int) {
	s.mu.Lock()
	var data walletData
	if in := s.byIDLocked(r.PathValue("id")); in != nil && in.Link != "" {
		data = walletData{Intent: *in, Brand: "AlipayHK", Open: in.Status == RequiresCustomerAction}
		if in.Method == "alipaycn" {
			data.Brand = "Alipay"
		}
		switch {
		case in.Status == Succeeded:
			data.Outcome = "Payment successful"
		case !data.Open:
			data.Outcome = "Payment closed"
		}
	} else {
		status = http.StatusNotFound
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = walletPage.Execute(w, data)
}

// pressButton pays, or lets the payer refuse, and leads back to the shop.
func (s *Server) pressButton(w http.ResponseWriter, r *http.Request) {
	act, known := map[string]func(string) (Intent, error){"pay": s.Pay, "cancel": s.Reject}[r.PathValue("button")]
	if !known {
		http.NotFound(w, r)
		return
	}
	s.mu.Lock()
	in := s.byIDLocked(r.PathValue("id")) // a merchant's order id could be guessed
	s.mu.Unlock()
	if in == nil {
		s.showWallet(w, r, http.StatusNotFound)
		return
	}
	done, err := act(in.ID)
	switch {
	case err != nil:
		s.showWallet(w, r, http.StatusConflict)
	case done.ReturnURL != "":
		http.Redirect(w, r, done.ReturnURL, http.StatusSeeOther)
	default:
		http.Redirect(w, r, "/wallet/"+done.ID, http.StatusSeeOther)
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
