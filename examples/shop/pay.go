package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// payTimeout bounds everything that one click on a wallet button may take.
const payTimeout = 30 * time.Second

// pay starts one attempt and sends the shopper where it continues.
func (s *server) pay(w http.ResponseWriter, r *http.Request) {
	o, _, ok := s.order(w, r)
	if !ok {
		return
	}
	a, reason := s.readPayForm(r, o)
	if reason != "" {
		s.badRequest(w, reason, orderPath(o.ID))
		return
	}
	// A second click makes the browser drop the first request. The payment
	// that the first one began must not be dropped with it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), payTimeout)
	defer cancel()
	unlock, err := s.journal.Lock(ctx, o.ID)
	if err != nil {
		http.Redirect(w, r, orderPath(o.ID, "return"), http.StatusSeeOther)
		return
	}
	defer unlock()
	if s.mayBePaid(ctx, o, a) {
		http.Redirect(w, r, orderPath(o.ID, "return"), http.StatusSeeOther)
		return
	}
	// Written down first: should we die in the middle, we know what to ask for.
	if err := s.journal.AddAttempt(a); err != nil {
		s.attemptRefused(w, o, err)
		return
	}
	s.start(ctx, w, r, o, a)
}

// readPayForm reads the form of a wallet button, or says what is wrong with it.
func (s *server) readPayForm(r *http.Request, o Order) (Attempt, string) {
	if err := r.ParseForm(); err != nil {
		return Attempt{}, "We could not read that form."
	}
	a := Attempt{
		ID: r.PostForm.Get("attempt"), Order: o.ID, At: s.now().UTC(),
		Method: r.PostForm.Get("method"), Flow: r.PostForm.Get("flow"),
	}
	if _, ok := findWallet(a.Method); !ok {
		return a, "We do not take that wallet."
	}
	if !validFlow(a.Flow) {
		return a, "That is not a way to pay that we know."
	}
	if !validID(a.ID) {
		return a, "That payment button is out of date."
	}
	return a, ""
}

// mayBePaid reports whether an attempt before this one took money, or could
// have. If nobody can tell, it could have.
func (s *server) mayBePaid(ctx context.Context, o Order, a Attempt) bool {
	_, attempts, _ := s.journal.Order(o.ID)
	if len(attempts) == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	list, err := s.payments(ctx, o, attempts, true)
	if err != nil {
		s.log.Warn("no new attempt: earlier ones could not be checked", "order", o.ID, "error", err)
		return true
	}
	for _, p := range list {
		same := p.MerchantOrderID == a.ID && p.Status != "SUCCEEDED"
		if p.mayHoldMoney() && !same {
			s.log.Info("no new attempt: an earlier one may be paid", "order", o.ID, "payment", p.ID, "status", p.Status)
			return true
		}
	}
	return false
}

// attemptRefused answers for an attempt that the journal did not take. Nothing
// was sent to paymux.
func (s *server) attemptRefused(w http.ResponseWriter, o Order, err error) {
	switch {
	case errors.Is(err, errAttemptTaken):
		s.badRequest(w, "That payment button was used before.", orderPath(o.ID))
	case errors.Is(err, errTooManyAttempts):
		s.fail(w, http.StatusTooManyRequests, "Too many tries", "Nothing new has been charged. Please contact us about this order.", orderPath(o.ID))
	default:
		s.log.Error("attempt not kept", "order", o.ID, "error", err)
		s.fail(w, http.StatusInternalServerError, "We could not start your payment", "You have not been charged. Please try again in a moment.", orderPath(o.ID))
	}
}

// start creates the attempt at paymux and acts on the answer.
func (s *server) start(ctx context.Context, w http.ResponseWriter, r *http.Request, o Order, a Attempt) {
	p, err := s.paymux.Create(ctx, CreateRequest{
		MerchantOrderID: a.ID, OrderGroup: o.ID,
		Amount: o.Amount, Currency: o.Currency, Method: a.Method, Flow: a.Flow,
		Description: o.Description(), ReturnURL: s.public.JoinPath(orderPath(o.ID, "return")).String(),
	})
	var refusal *Problem
	switch {
	case err == nil:
		s.log.Info("attempt started", "order", o.ID, "attempt", a.ID, "payment", p.ID, "status", p.Status)
		s.proceed(w, r, o, p)
	case !errors.As(err, &refusal) || (refusal.Status > 499 && refusal.Status != http.StatusServiceUnavailable):
		s.log.Warn("answer lost", "order", o.ID, "attempt", a.ID, "error", err)
		s.askAgain(ctx, w, r, o, a)
	default:
		s.log.Warn("attempt refused", "order", o.ID, "attempt", a.ID, "error", err)
		s.refused(w, r, o, a, refusal)
	}
}

// proceed sends the shopper to the wallet, or to the page that shows a QR code
// or says what the attempt's state is.
func (s *server) proceed(w http.ResponseWriter, r *http.Request, o Order, p Payment) {
	to := p.link(s.now())
	if to == "" {
		to = orderPath(o.ID, "attempts", p.MerchantOrderID)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// askAgain follows up a lost answer: the attempt may exist, so it is looked up
// under its own id. The attempt's page keeps asking if this doesn't settle it.
func (s *server) askAgain(ctx context.Context, w http.ResponseWriter, r *http.Request, o Order, a Attempt) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	p, found, err := s.paymux.Find(ctx, a.ID)
	if err != nil || !found || !p.belongs(o, []Attempt{a}) {
		p = Payment{MerchantOrderID: a.ID}
	}
	s.proceed(w, r, o, p)
}

// refused answers a definite no. In each case the shopper was sent nowhere, so
// nothing was charged.
func (s *server) refused(w http.ResponseWriter, r *http.Request, o Order, a Attempt, no *Problem) {
	switch {
	case no.Status == http.StatusPaymentRequired: // its page shows both wallets again
		http.Redirect(w, r, orderPath(o.ID, "attempts", a.ID), http.StatusSeeOther)
	case no.Status == http.StatusServiceUnavailable || no.Status == http.StatusTooManyRequests:
		s.unavailable(w, o, a, no.RetryAfter)
	case no.Code == "NO_ROUTE":
		v := statusPage(o, a.Flow, nil)
		v.say(stateUnavailable, walletName(a.Method)+" is not offered for this order",
			"You have not been charged. Please choose the other wallet.")
		v.Buttons = payButtons(o, a.Flow)
		s.render(w, http.StatusBadGateway, "status", v)
	default:
		v := statusPage(o, a.Flow, nil)
		v.say(stateUnavailable, "We cannot take this payment",
			"You have not been charged. Something is wrong on our side, and we have made a note of it. Please try another wallet, or contact us.")
		v.Buttons = payButtons(o, a.Flow)
		s.render(w, http.StatusBadGateway, "status", v)
	}
}

// unavailable offers the same attempt once more (paymux kept it) and the other
// wallet as a new one.
func (s *server) unavailable(w http.ResponseWriter, o Order, a Attempt, after time.Duration) {
	when := "Please try again in a moment, or choose the other wallet."
	if after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(after/time.Second)))
		when = "Please try again in " + spell(after) + ", or choose the other wallet."
	}
	v := statusPage(o, a.Flow, nil)
	v.say(stateUnavailable, walletName(a.Method)+" is not available right now", "You have not been charged. "+when)
	v.Retry = button(o, a.Method, a.Flow, a.ID)
	v.Buttons = otherButtons(o, a.Method, a.Flow)
	s.render(w, http.StatusServiceUnavailable, "status", v)
}
