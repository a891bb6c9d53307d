package sandbox

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

// Payment is what the wallet's page shows.
type Payment struct {
	Wallet          string // AlipayHK or Alipay
	ID              string // the acquirer's
	MerchantOrderID string
	Description     string
	Currency        string
	Amount          string // in major units
	Status          string // in the acquirer's words
	ReturnURL       string // of the shop; empty: the payer stays
	Open, Paid      bool
}

// Wallet is where a payer pays or cancels. P is the sandbox's own payment.
type Wallet[P any] struct {
	// Find finds a payment by the acquirer's id. The merchant's can be guessed.
	Find        func(id string) (P, bool)
	View        func(P) Payment
	Pay, Cancel func(id string) (P, error)
	Closed      error // of Pay and Cancel, if it is too late
}

// Route adds the page, at /wallet/{id}, and its buttons.
func (wallet Wallet[P]) Route(mux *http.ServeMux) {
	mux.HandleFunc("GET /wallet/{id}", func(w http.ResponseWriter, r *http.Request) {
		if p, ok := wallet.find(w, r); ok {
			show(w, http.StatusOK, wallet.View(p))
		}
	})
	mux.HandleFunc("POST /wallet/{id}/pay", wallet.button(wallet.Pay))
	mux.HandleFunc("POST /wallet/{id}/cancel", wallet.button(wallet.Cancel))
}

func (wallet Wallet[P]) find(w http.ResponseWriter, r *http.Request) (P, bool) {
	p, ok := wallet.Find(r.PathValue("id"))
	if !ok {
		show(w, http.StatusNotFound, Payment{Wallet: "Wallet"})
	}
	return p, ok
}

// button leads the payer back to the shop, or to the result where there is
// nowhere to go.
func (wallet Wallet[P]) button(press func(id string) (P, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, ok := wallet.find(w, r); !ok {
			return
		}
		p, err := press(r.PathValue("id"))
		view := wallet.View(p)
		switch {
		case errors.Is(err, wallet.Closed):
			show(w, http.StatusConflict, view)
			return
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		target := view.ReturnURL
		if target == "" {
			target = "/wallet/" + view.ID
		}
		w.Header().Set("Location", target) // http.Redirect might rewrite it
		w.WriteHeader(http.StatusSeeOther)
	}
}

// brand is how a wallet presents itself. Both colours carry or are text, so they
// have a contrast of 4.5:1 to white.
type brand struct {
	Name, Region string
	Color, Shade string // the shade is that of pressed buttons
}

var brands = map[string]brand{
	"Alipay":   {"Alipay", "Mainland China wallet", "#0e64d8", "#0a4ca6"},
	"AlipayHK": {"AlipayHK", "Hong Kong wallet", "#00796b", "#005a50"},
	"Wallet":   {"Wallet", "", "#0e64d8", "#0a4ca6"},
}

// Brand is how the payment's wallet presents itself.
func (p Payment) Brand() brand { return brands[p.Wallet] }

// Title is the page's.
func (p Payment) Title() string {
	switch {
	case p.ID == "":
		return "Payment not found"
	case p.Open:
		return "Confirm payment"
	case p.Paid:
		return "Payment successful"
	}
	return "Payment closed"
}

func show(w http.ResponseWriter, status int, p Payment) {
	var page bytes.Buffer
	if err := walletPage.Execute(&page, p); err != nil {
		http.Error(w, "the page failed", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	// No form-action here: browsers would apply it to the redirect to the shop.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes())
}
