package stripetest

import (
	"bytes"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"strings"

	"github.com/paymux/paymux/sdk"
)

//go:embed wallet.html
var walletHTML string

var walletPage = template.Must(template.New("wallet").Parse(walletHTML))

type walletView struct {
	Found         bool
	Intent        Intent
	Amount, Title string
	Open, Paid    bool
}

func (s *Server) routeWallet(mux *http.ServeMux) {
	mux.HandleFunc("GET /wallet/{id}", s.showWallet)
	mux.HandleFunc("POST /wallet/{id}/pay", s.decideWallet(s.Pay))
	mux.HandleFunc("POST /wallet/{id}/cancel", s.decideWallet(s.Fail))
}

func (s *Server) showWallet(w http.ResponseWriter, r *http.Request) {
	in, ok := s.intent(r.PathValue("id"))
	if !ok {
		renderWallet(w, http.StatusNotFound, walletView{Title: "Payment not found"})
		return
	}
	renderWallet(w, http.StatusOK, view(in))
}

// decideWallet presses a button. The payer then goes back to the merchant.
func (s *Server) decideWallet(decide func(string) (Intent, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		in, ok := s.intent(r.PathValue("id"))
		if !ok {
			renderWallet(w, http.StatusNotFound, walletView{Title: "Payment not found"})
			return
		}
		in, err := decide(in.ID)
		if errors.Is(err, ErrClosed) {
			renderWallet(w, http.StatusConflict, view(in))
			return
		}
		w.Header().Set("Location", in.ReturnURL) // http.Redirect might rewrite it
		w.WriteHeader(http.StatusSeeOther)
	}
}

// intent doesn't take the merchant's ids: those can be guessed.
func (s *Server) intent(id string) (Intent, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in := s.byIDLocked(id); in != nil {
		return in.clone(), true
	}
	return Intent{}, false
}

func view(in Intent) walletView {
	v := walletView{Found: true, Intent: in, Open: in.Status == RequiresAction, Paid: in.Status == Succeeded}
	if money, err := sdk.FromMinor(in.Amount, strings.ToUpper(in.Currency)); err == nil {
		v.Amount = money.Currency() + " " + money.AmountString()
	}
	switch {
	case v.Open:
		v.Title = "Confirm payment"
	case v.Paid:
		v.Title = "Payment successful"
	default:
		v.Title = "Payment closed"
	}
	return v
}

func renderWallet(w http.ResponseWriter, status int, v walletView) {
	var page bytes.Buffer
	if err := walletPage.Execute(&page, v); err != nil {
		http.Error(w, "the page failed", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	// No form-action here: browsers would apply it to the redirect to return_url.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes())
}
