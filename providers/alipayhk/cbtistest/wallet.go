package cbtistest

import (
	"bytes"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
)

//go:embed wallet.html
var walletHTML string

var walletPage = template.Must(template.New("wallet").Parse(walletHTML))

// brand is how a wallet presents itself.
type brand struct {
	Name   string
	Color  string
	Shade  string // the colour of pressed buttons
	Region string
}

var brands = map[string]brand{
	"ALIPAYCN": {Name: "Alipay", Color: "#1677ff", Shade: "#0958d9", Region: "Mainland China wallet"},
	"ALIPAYHK": {Name: "AlipayHK", Color: "#00796b", Shade: "#005a50", Region: "Hong Kong wallet"},
}

type walletView struct {
	Order    Order
	Brand    brand
	Amount   string
	Title    string
	NotFound bool
}

func (s *Server) routeWallet(mux *http.ServeMux) {
	mux.HandleFunc("GET /wallet/{id}", s.showWallet)
	mux.HandleFunc("POST /wallet/{id}/pay", s.decideWallet(s.Pay))
	mux.HandleFunc("POST /wallet/{id}/cancel", s.decideWallet(s.Cancel))
}

func (s *Server) showWallet(w http.ResponseWriter, r *http.Request) {
	o, ok := s.byOrderID(r.PathValue("id"))
	if !ok {
		s.renderWallet(w, http.StatusNotFound, walletView{NotFound: true, Title: "Payment not found"})
		return
	}
	s.renderWallet(w, http.StatusOK, s.view(o))
}

// decideWallet presses a button. The payer then goes back to the merchant, or
// sees the result where there is nowhere to go.
func (s *Server) decideWallet(decide func(string) (Order, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		o, ok := s.byOrderID(r.PathValue("id"))
		if !ok {
			s.renderWallet(w, http.StatusNotFound, walletView{NotFound: true, Title: "Payment not found"})
			return
		}
		o, err := decide(o.ID)
		switch {
		case errors.Is(err, ErrClosed):
			s.renderWallet(w, http.StatusConflict, s.view(o))
			return
		case err != nil:
			http.Error(w, "the sandbox could not save the payment", http.StatusInternalServerError)
			return
		}
		target := o.ReturnURL
		if target == "" {
			target = "/wallet/" + o.ID
		}
		w.Header().Set("Location", target) // http.Redirect might rewrite it
		w.WriteHeader(http.StatusSeeOther)
	}
}

// byOrderID doesn't accept merchant order ids: those can be guessed.
func (s *Server) byOrderID(id string) (Order, bool) {
	o, ok := s.Order(id)
	return o, ok && o.ID == id
}

func (s *Server) view(o Order) walletView {
	v := walletView{Order: o, Brand: brands[o.Wallet]}
	amount := number(o.Amount)
	if s.opt.AmountUnit == Minor {
		amount = amount.Shift(-2)
	}
	v.Amount = amount.StringFixed(2)
	switch o.Status {
	case Succeeded:
		v.Title = "Payment successful"
	case Cancelled:
		v.Title = "Payment cancelled"
	default:
		v.Title = "Confirm payment"
	}
	return v
}

func (s *Server) renderWallet(w http.ResponseWriter, status int, v walletView) {
	if v.NotFound {
		v.Brand = brands["ALIPAYCN"]
		v.Brand.Name = "Wallet"
	}
	var page bytes.Buffer
	if err := walletPage.Execute(&page, v); err != nil {
		s.opt.Logger.Error("the wallet page failed", "error", err)
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
	w.Write(page.Bytes())
}
