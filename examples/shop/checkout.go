package main

import (
	"context"
	"net/http"
	"strconv"
)

// showProducts is the shop's front page.
func (s *server) showProducts(w http.ResponseWriter, _ *http.Request) {
	s.render(w, http.StatusOK, "products", page{Title: "Tea and teaware", Kind: "products", Products: catalog, MaxQuantity: maxQuantity})
}

// createOrder makes an order of one product, at our price.
func (s *server) createOrder(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.badRequest(w, "We could not read that form.", "")
		return
	}
	product, ok := findProduct(r.PostForm.Get("product"))
	if !ok {
		s.badRequest(w, "We do not sell that product.", "")
		return
	}
	quantity, err := strconv.Atoi(r.PostForm.Get("quantity"))
	if err != nil || quantity < 1 || quantity > maxQuantity {
		s.badRequest(w, "Please order between 1 and "+strconv.Itoa(maxQuantity)+" of a product.", "")
		return
	}
	o := newOrder(product, quantity, s.now())
	if err := s.journal.AddOrder(o); err != nil {
		s.log.Error("order not kept", "error", err)
		s.fail(w, http.StatusInternalServerError, "We could not take your order", "Nothing has been charged. Please try again in a moment.", "")
		return
	}
	s.log.Info("order made", "order", o.ID, "amount", o.Amount, "currency", o.Currency)
	http.Redirect(w, r, orderPath(o.ID), http.StatusSeeOther)
}

// showCheckout sums an order up and offers both wallets. A paid order shows its
// receipt instead.
func (s *server) showCheckout(w http.ResponseWriter, r *http.Request) {
	o, attempts, ok := s.order(w, r)
	if !ok {
		return
	}
	flow := r.URL.Query().Get("flow")
	if flow == "" {
		flow = deviceFlow(r)
	} else if !validFlow(flow) {
		s.badRequest(w, "That is not a way to pay that we know.", orderPath(o.ID))
		return
	}
	tries := pairUp(attempts, nil)
	if len(attempts) > 0 {
		ctx, cancel := context.WithTimeout(r.Context(), pollTimeout)
		defer cancel()
		// Without an answer the page still works: paying asks again.
		list, err := s.payments(ctx, o, attempts, false)
		if err != nil {
			s.log.Warn("checkout without the host's answer", "order", o.ID, "error", err)
		}
		tries = pairUp(attempts, list)
		if judge(o, tries).State == statePaid {
			http.Redirect(w, r, orderPath(o.ID, "return"), http.StatusSeeOther)
			return
		}
	}
	s.render(w, http.StatusOK, "checkout", page{
		Title: "Checkout", Kind: "checkout", Order: &o, Flow: flow,
		Buttons: payButtons(o, flow), FlowLink: orderPath(o.ID) + "?flow=" + otherFlow(flow),
		Attempts: attemptRows(o, tries),
	})
}

// backToCheckout is for whoever reloads the address that a pay form posts to.
func (s *server) backToCheckout(w http.ResponseWriter, r *http.Request) {
	if o, _, ok := s.order(w, r); ok {
		http.Redirect(w, r, orderPath(o.ID), http.StatusSeeOther)
	}
}
