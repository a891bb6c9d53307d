package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/paymux/paymux/sdk"
)

// simNotices is what the acquirers have told. Guarded by sim.mu.
type simNotices struct {
	sent    int
	bodies  []simNotice
	acked   []simAck
	refused map[string]bool // forged ones that were new to the host when it knew, by provider and digest
}

type simNotice struct {
	provider, order string
	body            string
	genuine         bool
}

// simAck is a genuine notification that the host has taken.
type simAck struct {
	simNotice
	at time.Time
}

// key names a notification as the store does.
func (n simNotice) key() string {
	sum := sha256.Sum256([]byte(n.body))
	return n.provider + "/" + hex.EncodeToString(sum[:])
}

// ParseNotification implements sdk.Provider. Genuine ones are "signed", and say
// the merchant's and the acquirer's order id.
func (a *simAcquirer) ParseNotification(_ context.Context, r sdk.HTTPRequest) (sdk.Notification, error) {
	words := strings.Fields(string(r.Body))
	if len(words) != 4 || words[0] != "signed" {
		return sdk.Notification{}, sdk.NotSent(sdk.CodeSignatureInvalid, "bad signature")
	}
	e := sdk.NotificationEvent{Kind: sdk.EventPayment, RawType: "changed", MerchantOrderID: strings.Trim(words[2], "-"), AcquirerOrderID: strings.Trim(words[3], "-")}
	return sdk.Notification{Events: []sdk.NotificationEvent{e}, Ack: sdk.HTTPResponse{Status: 200, Body: []byte("thanks")}}, nil
}

// notice makes a notification about an order. Some name it by one id only.
func (s *sim) notice(o *simOrder) simNotice {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notices.sent++
	order, id := o.order, o.id
	switch s.stream("names", o.a.name, o.order, len(o.history)).IntN(4) {
	case 0:
		order = "-"
	case 1:
		id = "-"
	}
	n := simNotice{o.a.name, o.order, fmt.Sprintf("signed %d-%d %s %s", len(o.history), o.takenAt.UnixNano(), order, id), true}
	s.notices.bodies = append(s.notices.bodies, n)
	return n
}

// early sends a notification that may come before the answer of Create.
func (s *sim) early(o *simOrder) {
	r := s.stream("early", o.a.name, o.order)
	if r.IntN(3) == 0 {
		s.deliver(s.notice(o), simBetween(r, 0, 3*time.Second))
	}
}

// report tells the host of a change: once, several times, late or never. A late
// payment is always told of, since nobody asks about what has ended.
func (s *sim) report(o *simOrder, late bool) {
	s.mu.Lock()
	r := s.stream("report", o.a.name, o.order, len(o.history))
	s.mu.Unlock()
	copies := simPick(r, 0, 1, 1, 1, 2, 3)
	if late {
		copies = max(copies, 1)
	}
	n := s.notice(o)
	for range copies {
		wait := simBetween(r, 0, 3*time.Second)
		if r.IntN(4) == 0 { // behind what happened later
			wait = simBetween(r, 0, 20*time.Minute)
		}
		s.deliver(n, wait)
	}
}

// deliver sends a notification until it is acknowledged, as acquirers do. Forged
// ones come once.
func (s *sim) deliver(n simNotice, wait time.Duration) {
	r := s.stream("deliver", n.provider, n.body, wait)
	s.spawn(func() {
		for s.sleep(wait); !s.send(n) && n.genuine; {
			if s.sleep(simBetween(r, 10*time.Second, 5*time.Minute)); s.ended() {
				return
			}
		}
	})
}

// send sends a notification once and reports whether the host took it.
func (s *sim) send(n simNotice) bool {
	l := s.now()
	if l.dead() {
		return false
	}
	ack, err := l.host.Notify(context.Background(), n.provider, sdk.HTTPRequest{Method: "POST", Path: "/v1/notifications/" + n.provider, Body: []byte(n.body)})
	if l.dead() { // nobody heard it
		return false
	}
	s.log("%s: notification %q: %d, %v", n.provider, n.body, ack.Status, err)
	if err != nil {
		return false
	}
	if !n.genuine || ack.Status != 200 {
		s.fail(ruleNotices, "the notification %q was acknowledged with %d", n.body, ack.Status)
	}
	if state := s.stored(n); state != notificationMatched && state != notificationUnmatched {
		s.fail(ruleNotices, "the notification %q was acknowledged but is %q in the store", n.body, state)
	}
	s.mu.Lock()
	s.notices.acked = append(s.notices.acked, simAck{n, time.Now()})
	s.mu.Unlock()
	return true
}

// stored returns the state of a notification in the store, empty if it isn't there.
func (s *sim) stored(n simNotice) string { return s.notifications()[n.key()] }

// notifications returns the states of all that are in the store. Those that no
// plugin has read are found by their body.
func (s *sim) notifications() map[string]string {
	rows, err := s.db.QueryContext(context.Background(), "SELECT provider, digest, state, request FROM notifications")
	s.must(err)
	defer rows.Close()
	states := map[string]string{}
	for rows.Next() {
		var n simNotice
		var digest, state, request string
		s.must(rows.Scan(&n.provider, &digest, &state, &request))
		key := n.provider + "/" + digest
		if state == notificationUnparsed || state == notificationUnreadable {
			var r sdk.HTTPRequest
			s.must(json.Unmarshal([]byte(request), &r))
			n.body = string(r.Body)
			key = n.key()
		}
		if states[key] == "" || state == notificationMatched || state == notificationUnmatched {
			states[key] = state // a verified one counts before its raw one
		}
	}
	s.must(rows.Err())
	return states
}

// heardForged is called when a plugin tells the host that a notification is
// forged. One that the host hadn't kept by then must not be stored at all.
func (s *sim) heardForged(provider string, body []byte) {
	n := simNotice{provider: provider, body: string(body)}
	if s.stored(n) == "" {
		s.mu.Lock()
		s.notices.refused[n.key()] = true
		s.mu.Unlock()
	}
}

// ended reports whether the simulation has stopped at a broken rule.
func (s *sim) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken != ""
}
