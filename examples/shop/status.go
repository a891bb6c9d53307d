package main

import (
	"context"
	"net/http"
	"time"
)

// showAttempt is the page of one attempt: its QR code while it waits for a
// scan, else its state.
func (s *server) showAttempt(w http.ResponseWriter, r *http.Request) {
	o, attempts, ok := s.order(w, r)
	if !ok {
		return
	}
	tries, answered := s.ask(r, o, attempts)
	id := r.PathValue("attempt")
	t, ok := findTry(tries, id)
	if !ok {
		s.notFound(w)
		return
	}
	whole := judge(o, tries)
	elsewhere := whole.Try.ID != id && whole.Try.Payment != nil && whole.Try.Payment.mayHoldMoney()
	if whole.State == statePaid || elsewhere {
		http.Redirect(w, r, orderPath(o.ID, "return"), http.StatusSeeOther)
		return
	}
	if t.Payment != nil && t.Payment.code(s.now()) != "" {
		s.showQR(w, r, o, t)
		return
	}
	s.showState(w, r, o, tries, outcome{State: t.settledState(o), Try: t}, answered)
}

// showReturn is where wallets bring shoppers back, and where anybody may go.
// It says what the host says; the request itself proves nothing.
func (s *server) showReturn(w http.ResponseWriter, r *http.Request) {
	o, attempts, ok := s.order(w, r)
	if !ok {
		return
	}
	tries, answered := s.ask(r, o, attempts)
	got := judge(o, tries)
	if got.State == statePaid {
		s.showReceipt(w, o, got)
		return
	}
	if !answered {
		got.State = stateChecking
	}
	s.showState(w, r, o, tries, got, answered)
}

// ask gathers an order's attempts with what the host says of each, and reports
// whether it said anything.
func (s *server) ask(r *http.Request, o Order, attempts []Attempt) (tries []try, answered bool) {
	ctx, cancel := context.WithTimeout(r.Context(), pollTimeout)
	defer cancel()
	list, err := s.payments(ctx, o, attempts, true)
	if err != nil {
		s.log.Warn("the host did not answer", "order", o.ID, "error", err)
		return pairUp(attempts, nil), false
	}
	tries = pairUp(attempts, list)
	for i := range tries {
		t := &tries[i]
		if i == 0 && t.Payment == nil { // its answer got lost: ask by our own id
			if p, found, err := s.paymux.Find(ctx, t.ID); err == nil && found && p.belongs(o, attempts) {
				t.Payment = &p
			}
		}
		if p := t.Payment; p != nil && p.Status == "SUCCEEDED" && !p.pays(o) {
			s.log.Error("paid, but not this order's amount", "order", o.ID, "payment", p.ID,
				"amount", p.Amount, "currency", p.Currency, "wanted", o.Amount, "wanted_currency", o.Currency)
		}
	}
	return tries, true
}

// settledState is a try's state, where "paid" takes the right amount as well.
func (t try) settledState(o Order) state {
	if got := t.state(); got != statePaid || t.Payment.pays(o) {
		return got
	}
	return stateChecking
}

// showReceipt is the paid page.
func (s *server) showReceipt(w http.ResponseWriter, o Order, got outcome) {
	v := statusPage(o, "", nil)
	v.say(statePaid, "Thank you, your payment has arrived", "We are packing your order now. Keep this page as your receipt.")
	v.Receipt = &receipt{
		Wallet: walletName(got.Try.Payment.Method), Payment: got.Try.Payment.ID, Time: clock(got.Try.paidAt()),
	}
	for _, t := range got.Others {
		v.Others = append(v.Others, t.Payment.ID)
	}
	if len(v.Others) > 0 { // paymux has flagged it, too; giving back is for a person
		s.log.Error("paid more than once", "order", o.ID, "kept", got.Try.Payment.ID, "others", v.Others)
	}
	s.render(w, http.StatusOK, "status", v)
}

// showQR is the desktop page with the code to scan.
func (s *server) showQR(w http.ResponseWriter, r *http.Request, o Order, t try) {
	code, err := qrSVG(t.Payment.code(s.now()))
	if err != nil {
		s.log.Error("no QR code", "order", o.ID, "payment", t.Payment.ID, "error", err)
		s.fail(w, http.StatusBadGateway, "We could not draw your QR code", "You have not been charged. Please choose another way to pay.", orderPath(o.ID))
		return
	}
	v := statusPage(o, t.Flow, nil)
	v.Title, v.Kind, v.State = "Scan to pay", "qr", statePending
	v.Wallet, v.QR = walletName(t.Method), code
	if at := t.Payment.NextAction.ExpiresAt; at != nil {
		v.QRExpires = clock(*at)
	}
	s.watch(&v, r, t.At)
	v.OtherFlow = button(o, t.Method, otherFlow(t.Flow), newID())
	s.render(w, http.StatusOK, "qr", v)
}

// showState is the page of everything that is neither a receipt nor a QR code.
func (s *server) showState(w http.ResponseWriter, r *http.Request, o Order, tries []try, got outcome, answered bool) {
	flow := got.Try.Flow
	if flow == "" {
		flow = deviceFlow(r)
	}
	v := statusPage(o, flow, tries)
	since := o.CreatedAt
	if len(tries) > 0 {
		since = tries[0].At
	}
	if anyOpen(tries) {
		s.watch(&v, r, since)
	}
	switch got.State {
	case statePending:
		s.sayPending(&v, o, got.Try)
	case stateCancelled:
		v.say(stateCancelled, "Your payment was not completed", "It was cancelled or ran out of time, and you have not been charged. You can try again with either wallet.")
		v.Buttons = payButtons(o, flow)
	case stateFailed:
		v.say(stateFailed, "Your payment with "+walletName(got.Try.Method)+" did not go through", "You have not been charged. Please try again, or use the other wallet.")
		v.Buttons = payButtons(o, flow)
	default:
		s.watch(&v, r, since)
		s.sayChecking(&v, o, got.Try, answered)
	}
	s.render(w, http.StatusOK, "status", v)
}

// sayPending words a payment that hasn't arrived, and how to go on with it.
func (s *server) sayPending(v *page, o Order, t try) {
	if t.ID == "" {
		v.say(statePending, "We have not received your payment yet", "You have not started to pay for this order. Choose a wallet to pay now.")
		v.Buttons = payButtons(o, v.Flow)
		return
	}
	name := walletName(t.Method)
	if t.Payment.NextAction == nil { // the answer that had it was lost
		v.say(statePending, "We could not take you to "+name, "The connection was lost on the way, and you have not been charged. Please choose your wallet again.")
		v.Buttons = payButtons(o, v.Flow)
		return
	}
	v.say(statePending, "We have not received your payment yet", "If you have just paid in "+name+", wait a moment. If you left "+name+" without paying, you can go on here.")
	now := s.now()
	v.Wallet, v.Continue = name, t.Payment.link(now)
	if v.Continue == "" && t.Payment.code(now) != "" {
		v.Continue = orderPath(o.ID, "attempts", t.ID)
	}
	if v.Continue == "" { // nowhere left to go on with this attempt
		v.Buttons = payButtons(o, v.Flow)
		return
	}
	v.Buttons = otherButtons(o, t.Method, v.Flow)
	v.OtherFlow = button(o, t.Method, otherFlow(t.Flow), newID())
}

// sayChecking words what nobody can tell yet. It never says failed.
func (s *server) sayChecking(v *page, o Order, t try, answered bool) {
	v.say(stateChecking, "We are checking your payment", "We do not have an answer yet, so please do not pay again.")
	switch {
	case !answered || t.ID == "":
	case t.Payment == nil || t.Payment.Status == "CREATED":
		// The same id once more can't become a second payment.
		v.say(stateChecking, "We are checking your payment", "It has not started yet, and nothing has been charged. You can wait here, or safely try once more.")
		v.Retry = button(o, t.Method, t.Flow, t.ID)
	case t.Payment.Status == "SUCCEEDED":
		v.say(stateChecking, "We are checking your payment", "Your wallet reported a payment that does not match this order. Please contact us, and do not pay again.")
	}
}

// noReload is the query of a page whose reader doesn't want it to reload.
const noReload = "?reload=no"

// watch has a page ask again by itself for a while, and gives the reader the
// links to ask now and to end that: a reload takes a keyboard's place away.
func (s *server) watch(v *page, r *http.Request, since time.Time) {
	v.CheckNow = r.URL.Path
	if r.URL.Query().Get("reload") == "no" {
		v.CheckNow += noReload
		return
	}
	if v.Refresh = refreshEvery(s.now().Sub(since)); v.Refresh > 0 {
		v.StopReload = r.URL.Path + noReload
	}
}

// refreshEvery is how many seconds a page waits before it asks again: soon at
// first, seldom later, and after ten minutes (0) only when told to. It depends
// on the attempt's age, so that the page's address stays the same: browsers then
// keep the scroll position and make no entries in their history.
func refreshEvery(age time.Duration) int {
	switch {
	case age < 15*time.Second:
		return 3
	case age < time.Minute:
		return 5
	case age < 3*time.Minute:
		return 10
	case age < 10*time.Minute:
		return 30
	default:
		return 0
	}
}

func findTry(tries []try, id string) (try, bool) {
	for _, t := range tries {
		if t.ID == id {
			return t, true
		}
	}
	return try{}, false
}

func anyOpen(tries []try) bool {
	for _, t := range tries {
		if t.Payment == nil || t.Payment.open() {
			return true
		}
	}
	return false
}
