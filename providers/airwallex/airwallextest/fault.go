package airwallextest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/providers/internal/sandbox"
)

// Kind says how the sandbox misbehaves.
type Kind string

// The kinds of faults.
const (
	KindDelay           Kind = "delay"             // wait Delay before anything is done; notifications too
	KindDelayAfter      Kind = "delay_after"       // do it, wait Delay, answer
	KindCloseBefore     Kind = "close_before"      // close the connection, do nothing
	KindCloseAfter      Kind = "close_after"       // do it, close the connection
	KindHTTPErrorBefore Kind = "http_error_before" // Status (502) with an HTML page, do nothing
	KindHTTPErrorAfter  Kind = "http_error_after"  // do it, answer with such a page
	KindCode            Kind = "code"              // Status (400) with Code, do nothing
	KindTruncatedJSON   Kind = "truncated_json"    // do it, send half of the answer
	KindTokenInvalid    Kind = "token_invalid"     // forget the token: 401
	KindRateLimited     Kind = "rate_limited"      // 429 with RetryAfter, do nothing
	KindWrongEcho       Kind = "wrong_echo"        // do it, answer with another Field
	KindLagging         Kind = "lagging"           // retrieve: as before it was paid; list: as if there were none
	KindDuplicate       Kind = "duplicate"         // send a notification twice
	KindForged          Kind = "forged"            // sign it with another secret
	KindStale           Kind = "stale"             // sign it with a time that is Delay ago
	KindDrop            Kind = "drop"              // don't send it: as if the network lost it
)

// Fault is something that goes wrong on purpose.
type Fault struct {
	Kind       Kind
	Op         Op            // empty: every operation that the kind can apply to
	Times      int           // how often; 0: always
	Delay      time.Duration // of delay, delay_after and stale; negative is the future for stale
	Status     int           // HTTP status
	Code       string        // default Codes.Internal
	RetryAfter time.Duration // of rate_limited; 0: no such header
	Field      string        // of wrong_echo: id, merchant_order_id, amount or currency
}

var (
	apiOps   = []Op{OpLogin, OpCreate, OpConfirm, OpRetrieve, OpList, OpCancel, OpRefund, OpRefundRetrieve, OpRefundList}
	kindsFor = map[Kind][]Op{
		KindDelay:     append(slices.Clone(apiOps), OpNotify),
		KindWrongEcho: apiOps[1:], KindTokenInvalid: apiOps[1:], KindLagging: {OpRetrieve, OpList},
		KindDelayAfter: apiOps, KindCloseBefore: apiOps, KindCloseAfter: apiOps, KindHTTPErrorBefore: apiOps, KindHTTPErrorAfter: apiOps,
		KindCode: apiOps, KindTruncatedJSON: apiOps, KindRateLimited: apiOps,
		KindDuplicate: {OpNotify}, KindForged: {OpNotify}, KindStale: {OpNotify}, KindDrop: {OpNotify},
	}
	echoFields = []string{"id", "merchant_order_id", "amount", "currency"}
)

// Validate says what is wrong with a fault, if anything.
func (f Fault) Validate() error {
	ops, known := kindsFor[f.Kind]
	switch {
	case !known:
		return fmt.Errorf("airwallextest: fault kind %q is not known", f.Kind)
	case f.Op != "" && !slices.Contains(ops, f.Op):
		return fmt.Errorf("airwallextest: fault kind %q doesn't apply to %q, only to %q", f.Kind, f.Op, ops)
	case f.Kind == KindWrongEcho && !slices.Contains(echoFields, f.Field):
		return fmt.Errorf("airwallextest: fault kind %q needs a field out of %q", f.Kind, echoFields)
	case f.Times < 0 || f.RetryAfter < 0 || f.Delay < 0 && f.Kind != KindStale:
		return fmt.Errorf("airwallextest: fault %q has a negative number", f.Kind)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("airwallextest: fault %q has HTTP status %d, not 200 to 599", f.Kind, f.Status)
	}
	return nil
}

// Inject adds a fault. It panics if the fault isn't valid, since that is a
// mistake in a test.
func (s *Server) Inject(f Fault) {
	if err := f.Validate(); err != nil {
		panic(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.Inject(f, f.Times, f.Kind == KindDelay || f.Kind == KindDelayAfter)
}

// ClearFaults removes all faults.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.Clear()
}

// takeLocked uses up the faults for one call.
func (s *Server) takeLocked(op Op) []Fault {
	return s.faults.Take(func(f Fault) bool { return slices.Contains(kindsFor[f.Kind], op) && (f.Op == "" || f.Op == op) })
}

func totalDelay(faults []Fault, kind Kind) (sum time.Duration) {
	for _, f := range faults {
		if f.Kind == kind {
			sum += f.Delay
		}
	}
	return sum
}

// before applies the faults that keep a call from being handled; it reports
// whether one of them answered.
func (s *Server) before(c *call) (reply, bool) {
	if !s.run.Pause(c.r.Context(), totalDelay(c.faults, KindDelay)) {
		return reply{status: sandbox.Cut}, true // the caller left, or the sandbox closes
	}
	for _, f := range c.faults {
		switch f.Kind {
		case KindCloseBefore:
			return reply{status: sandbox.Cut}, true
		case KindHTTPErrorBefore:
			return errorPage(f), true
		case KindCode:
			no := refusal{cmp.Or(f.Status, http.StatusBadRequest), cmp.Or(f.Code, s.opt.Codes.Internal), "injected", ""}
			return no.reply(), true
		case KindRateLimited:
			no := refusal{http.StatusTooManyRequests, s.opt.Codes.RateLimited, "too many requests", ""}
			rep := no.reply()
			rep.header = sandbox.RetryAfter(f.RetryAfter)
			return rep, true
		case KindTokenInvalid:
			s.mu.Lock()
			delete(s.tokens, bearer(c.r)) // the ordinary check of the token then refuses
			s.mu.Unlock()
		}
	}
	return reply{}, false
}

// after applies the faults that spoil the answer of a call that was handled.
func (s *Server) after(c *call, rep reply) reply {
	if !s.run.Pause(c.r.Context(), totalDelay(c.faults, KindDelayAfter)) {
		return reply{status: sandbox.Cut}
	}
	for _, f := range c.faults {
		switch f.Kind {
		case KindCloseAfter:
			return reply{status: sandbox.Cut}
		case KindHTTPErrorAfter:
			return errorPage(f)
		case KindTruncatedJSON:
			body, _ := json.Marshal(rep.body)
			rep.body = body[:len(body)/2]
		case KindWrongEcho, KindLagging:
			rep.body = spoil(rep.body, f)
		}
	}
	return rep
}

func errorPage(f Fault) reply {
	status, header, page := sandbox.ErrorPage(f.Status)
	return reply{status: status, header: header, body: page}
}

// spoil changes the data of a successful answer; a refusal has none.
func spoil(body any, f Fault) any {
	lag := f.Kind == KindLagging
	switch d := body.(type) {
	case intentData:
		if lag && d.Status == Succeeded {
			d.Status, d.CapturedAmount = RequiresCustomerAction, jsontext.Value("0")
		}
		changeEcho(f.Field, &d.ID, &d.MerchantOrderID, &d.Currency, &d.Amount)
		return d
	case page[intentData]:
		if lag {
			d = page[intentData]{Items: []intentData{}}
		}
		for i := range d.Items {
			e := &d.Items[i]
			changeEcho(f.Field, &e.ID, &e.MerchantOrderID, &e.Currency, &e.Amount)
		}
		return d
	case refundData:
		var none string
		changeEcho(f.Field, &d.ID, &none, &d.Currency, &d.Amount)
		return d
	}
	return body
}

func changeEcho(field string, id, merchantOrderID, currency *string, amount *jsontext.Value) {
	switch field {
	case "id":
		*id = "int_of_another_merchant"
	case "merchant_order_id":
		*merchantOrderID = "another-merchants-order"
	case "amount":
		*amount = append(jsontext.Value("9"), *amount...)
	case "currency":
		*currency = "USD"
	}
}
