package host

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/paymux/paymux/sdk"
)

// simAcquirer is a provider and its remote company in one.
type simAcquirer struct {
	s       *sim
	name    string // of the provider
	account string
	native  bool // takes an identical Create for the same within simWindow
}

// simLedger is what the acquirers know: the truth about the money. It is guarded
// by sim.mu.
type simLedger struct {
	orders  map[string][]*simOrder   // by the host's request id, at whichever acquirer
	creates map[string][]*simArrival // by the host's request id
	all     []*simOrder
	queries []simAsked
}

// simOrder is an order in a ledger.
type simOrder struct {
	a         *simAcquirer
	id        string // the acquirer's, which may be another order's too
	order     string // the merchant's
	requestID string
	money     sdk.Money // what the payer pays
	takenAt   time.Time
	visibleAt time.Time // until then Query says NOT_FOUND
	lazy      bool      // it isn't known to Query before the payer acts
	history   []simState
}

type simState struct {
	at     time.Time
	status sdk.Status
}

// simArrival is a Create that has reached an acquirer.
type simArrival struct {
	a       *simAcquirer
	at      time.Time
	request string // all of it
	notSent bool   // the host knows that it had no effect
}

type simAsked struct {
	a     *simAcquirer
	order string
	at    time.Time
}

func (o *simOrder) status() sdk.Status { return o.history[len(o.history)-1].status }

// statusAt is the state at an earlier time.
func (o *simOrder) statusAt(t time.Time) sdk.Status {
	said := o.history[0].status
	for _, h := range o.history {
		if !h.at.After(t) {
			said = h.status
		}
	}
	return said
}

func (o *simOrder) paid() bool { return o.status() == sdk.StatusSucceeded }

func (o *simOrder) answer(status sdk.Status) sdk.Payment {
	p := sdk.Payment{Order: sdk.Order{MerchantOrderID: o.order, AcquirerOrderID: o.id, Money: o.money}, Status: status, RawStatus: strings.ToLower(status.String())}
	if status == sdk.StatusSucceeded {
		p.PaidAt = time.Now()
	}
	return p
}

// Authorize implements sdk.Provider.
func (a *simAcquirer) Authorize(context.Context) (sdk.Grant, error) { return sdk.Grant{}, nil }

// Create implements sdk.Provider.
func (a *simAcquirer) Create(_ context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
	s := a.s
	n := s.arrived(a, r)
	chance := s.stream("create", a.name, r.MerchantOrderID, n)
	f := s.faultOfCreate(chance)
	s.log("%s gets create %s %s (%s)", a.name, r.MerchantOrderID, r.Money, f.kind)
	s.sleep(f.before)
	switch f.kind {
	case simNotSent:
		return sdk.Payment{}, sdk.NotSent(sdk.CodeAcquirerRateLimited, "too many requests")
	case simRefused:
		return sdk.Payment{}, sdk.Refused(sdk.CodeRefused, "no")
	case simLostBefore:
		return sdk.Payment{}, sdk.Unknown(sdk.CodeAcquirerTimeout, "lost on the way there")
	}
	o := a.take(r, f, chance)
	s.sleep(f.after)
	answer := o.answer(a.s.read(o))
	switch f.kind {
	case simLostAfter:
		return sdk.Payment{}, sdk.Unknown(sdk.CodeAcquirerTimeout, "lost on the way back")
	case simGarbled:
		return sdk.Payment{}, errors.New("unexpected end of JSON input")
	case simSpoiled:
		a.spoil(chance, &answer, r.Order)
	case simLazy:
		answer.Status, answer.AcquirerOrderID = sdk.StatusUnknown, ""
	}
	if f.kind != simNoAction {
		answer.NextActions = []sdk.NextAction{{Type: sdk.ActionRedirect, URL: "https://wallet.example.com/" + r.MerchantOrderID}}
	}
	return answer, nil
}

// take makes an order, or finds the one of an identical request.
func (a *simAcquirer) take(r sdk.CreateRequest, f simFault, chance *rand.Rand) *simOrder {
	s := a.s
	s.mu.Lock()
	now := time.Now()
	for _, o := range s.ledger.orders[r.RequestID] {
		if a.native && o.a == a && now.Sub(o.takenAt) < simWindow {
			s.mu.Unlock()
			return o
		}
	}
	o := &simOrder{
		a: a, id: fmt.Sprintf("acq-%s-%s", a.account, r.MerchantOrderID), order: r.MerchantOrderID, requestID: r.RequestID, money: r.Money,
		takenAt: now, visibleAt: now, lazy: f.kind == simLazy, history: []simState{{now, sdk.StatusPending}},
	}
	if f.hidden > 0 { // the promise counts from when Create was sent
		o.visibleAt = now.Add(min(f.hidden, simSettling-f.before-5*time.Second))
	}
	switch f.kind {
	case simOtherMoney: // its own mistake: the payer pays this
		o.money = otherMoney(r.Money)
	case simSameID:
		for _, other := range s.ledger.all {
			if other.a == a {
				o.id = other.id
			}
		}
	}
	s.ledger.orders[r.RequestID] = append(s.ledger.orders[r.RequestID], o)
	s.ledger.all = append(s.ledger.all, o)
	twice := len(s.ledger.orders[r.RequestID]) > 1
	for _, other := range s.ledger.all {
		twice = twice || other != o && other.a == a && other.order == o.order
	}
	s.mu.Unlock()
	s.log("%s has order %s", a.name, o.id)
	if twice {
		s.fail(ruleOneOrder, "the acquirers have two orders of %s", r.MerchantOrderID)
	}
	s.payer(o)
	return o
}

// Query implements sdk.Provider.
func (a *simAcquirer) Query(_ context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
	s := a.s
	n := s.asked(a, r.MerchantOrderID)
	chance := s.stream("query", a.name, r.MerchantOrderID, n)
	f := s.faultOfQuery(chance)
	s.sleep(f.before)
	switch f.kind {
	case simNotSent:
		return sdk.Payment{}, sdk.NotSent(sdk.CodeAcquirerRateLimited, "too many requests")
	case simLostBefore:
		return sdk.Payment{}, sdk.Unknown(sdk.CodeAcquirerTimeout, "lost")
	case simGarbled:
		return sdk.Payment{}, errors.New("unexpected end of JSON input")
	}
	o := a.find(r.MerchantOrderID)
	if o == nil {
		s.sleep(f.after)
		return sdk.Payment{}, sdk.NotSent(sdk.CodeOrderNotFound, "no such order")
	}
	answer := o.answer(s.readAt(o, time.Now().Add(-f.lag)))
	s.sleep(f.after)
	if f.kind == simSpoiled {
		a.spoil(chance, &answer, r.Order)
	}
	return answer, nil
}

// Cancel implements sdk.Canceller.
func (a *simAcquirer) Cancel(_ context.Context, r sdk.CancelRequest) (sdk.Payment, error) {
	s := a.s
	n := s.asked(a, r.MerchantOrderID)
	chance := s.stream("cancel", a.name, r.MerchantOrderID, n)
	f := s.faultOfQuery(chance)
	s.sleep(f.before)
	if f.kind == simNotSent {
		return sdk.Payment{}, sdk.NotSent(sdk.CodeAcquirerRateLimited, "too many requests")
	}
	o := a.find(r.MerchantOrderID)
	if o == nil {
		return sdk.Payment{}, sdk.NotSent(sdk.CodeOrderNotFound, "no such order")
	}
	if f.kind != simLostBefore {
		s.move(o, sdk.StatusCancelled)
	}
	answer := o.answer(s.read(o))
	s.sleep(f.after)
	if f.kind == simLostBefore || f.kind == simGarbled {
		return sdk.Payment{}, errors.New("connection reset by peer")
	}
	return answer, nil
}

// find returns an order that the acquirer shows.
func (a *simAcquirer) find(order string) *simOrder {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	for _, o := range a.s.ledger.all {
		if o.a == a && o.order == order && !time.Now().Before(o.visibleAt) && (!o.lazy || len(o.history) > 1) {
			return o
		}
	}
	return nil
}

func (s *sim) read(o *simOrder) sdk.Status { return s.readAt(o, time.Now()) }

func (s *sim) readAt(o *simOrder, at time.Time) sdk.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return o.statusAt(at)
}

func (s *sim) asked(a *simAcquirer, order string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.ledger.queries {
		if q.a == a && q.order == order {
			n++
		}
	}
	s.ledger.queries = append(s.ledger.queries, simAsked{a, order, time.Now()})
	return n
}

// move changes an order as payers and the acquirer do: an open one ends, and one
// that ended unpaid may be paid late.
func (s *sim) move(o *simOrder, to sdk.Status) bool {
	s.mu.Lock()
	now := o.status()
	late := (now == sdk.StatusCancelled || now == sdk.StatusExpired) && to == sdk.StatusSucceeded
	moves := now == sdk.StatusPending || late
	if moves {
		o.history = append(o.history, simState{time.Now(), to})
	}
	s.mu.Unlock()
	if moves {
		s.log("%s: order %s is %s", o.a.name, o.id, to)
		s.report(o, late)
	}
	return moves
}
