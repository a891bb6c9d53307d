package antomtest

import (
	"bytes"
	_ "embed"
	"errors"
	"html/template"
	"net/http"

	"github.com/shopspring/decimal"
)

//go:embed wallet.html
var walletHTML string

var walletPage = template.Must(template.New("wallet").Parse(walletHTML))

type walletView struct {
	Order  Order
	Wallet string
	Amount string
	Open   bool
}

var walletNames = map[string]string{"ALIPAY_HK": "AlipayHK", "ALIPAY_CN": "Alipay"}

func (s *Server) routeWallet(mux *http.ServeMux) {
	mux.HandleFunc("GET /wallet/{id}", s.showWallet)
	mux.HandleFunc("POST /wallet/{id}/pay", s.decideWallet(s.Pay))
	mux.HandleFunc("POST /wallet/{id}/cancel", s.decideWallet(s.Cancel))
}

// byPaymentID doesn't accept the merchant's ids: those can be guessed.
func (s *Server) byPaymentID(id string) (Order, bool) {
	o, ok := s.Order(id)
	return o, ok && o.PaymentID == id
}

func (s *Server) showWallet(w http.ResponseWriter, r *http.Request) {
	o, ok := s.byPaymentID(r.PathValue("id"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	render(w, http.StatusOK, o)
}

// decideWallet presses a button. The payer then goes back to the merchant, or
// sees the result where there is nowhere to go.
func (s *Server) decideWallet(decide func(string) (Order, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		o, ok := s.byPaymentID(r.PathValue("id"))
		if !ok {
			http.NotFound(w, r)
			return
		}
		o, err := decide(o.PaymentID)
		if errors.Is(err, ErrClosed) {
			render(w, http.StatusConflict, o)
			return
		}
		target := o.RedirectURL
		if target == "" {
			target = "/wallet/" + o.PaymentID
		}
		w.Header().Set("Location", target) // http.Redirect might rewrite it
		w.WriteHeader(http.StatusSeeOther)
	}
}

func render(w http.ResponseWriter, status int, o Order) {
	v := walletView{Order: o, Wallet: walletNames[o.Method], Open: o.open()}
	if v.Wallet == "" {
		v.Wallet = "Wallet"
	}
	v.Amount = decimal.New(minor(o.Amount), -2).StringFixed(2) // HKD and CNY both have two
	var page bytes.Buffer
	if err := walletPage.Execute(&page, v); err != nil {
		http.Error(w, "the page failed", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	// No form-action here: browsers would apply it to the redirect to the merchant.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes())
}
