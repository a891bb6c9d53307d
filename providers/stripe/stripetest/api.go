package stripetest

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/paymux/paymux/providers/internal/sandbox"
)

// Op names an operation of the API, or the sending of notifications.
type Op string

// The operations faults and logs speak of. OpAny stands for all that a fault's
// kind applies to.
const (
	OpAny         Op = "any"
	OpAccount     Op = "account"
	OpCreate      Op = "create"
	OpSearch      Op = "search"
	OpQuery       Op = "query"
	OpCancel      Op = "cancel"
	OpRefund      Op = "refund"
	OpRefundQuery Op = "refund_query"
	OpNotify      Op = "notify"
)

const keyLife = 24 * time.Hour

// call is one request to the API.
type call struct {
	r      *http.Request
	op     Op
	form   url.Values
	log    Request
	faults []Fault
}

// reply is what a call is answered with. Status sandbox.Cut closes the connection.
type reply struct {
	status      int
	header      http.Header
	body        []byte
	notExecuted bool // refused by validation: the result isn't kept under the key
}

// refusal is an error of the API.
type refusal struct {
	status              int
	kind, code, message string
	param               string
	executed            bool // an endpoint began to run: the result is kept under the key
}

func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{status: status, kind: "invalid_request_error", code: code, message: fmt.Sprintf(format, args...)}
}

// saved is what is kept under an Idempotency-Key.
type saved struct {
	print   [sha256.Size]byte // of the request
	at      time.Time
	running bool
	reply   reply
}

// operation does the work of one endpoint.
type operation func(*call) (any, *refusal)

func (s *Server) endpoint(op Op, do operation) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, sandbox.MaxBody))
		c := &call{r: r, op: op}
		c.log = Request{Op: op, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Body: string(body),
			IdempotencyKey: r.Header.Get("Idempotency-Key"), APIVersion: r.Header.Get("Stripe-Version")}
		c.faults = s.take(op)
		rep, sent := s.before(c)
		if !sent {
			rep = s.answer(c, do, body, err)
			rep = s.after(c, rep)
		}
		s.record(c, rep)
		write(w, rep)
	})
}

// answer checks the key and the form, and hands the call to its endpoint unless
// the idempotency layer has an answer already.
func (s *Server) answer(c *call, do operation, body []byte, bodyErr error) reply {
	if no := s.admit(c, body, bodyErr); no != nil {
		return refused(no)
	}
	key := c.log.IdempotencyKey
	if key == "" || c.r.Method != http.MethodPost {
		return s.perform(c, do)
	}
	if len(key) > 255 {
		return refused(refuse(http.StatusBadRequest, "", "the Idempotency-Key is longer than 255 characters"))
	}
	print := sha256.Sum256([]byte(c.r.Method + " " + c.r.URL.Path + " " + c.form.Encode()))
	s.mu.Lock()
	old := s.keys[key]
	if old != nil && !old.running && s.opt.Now().Sub(old.at) >= keyLife {
		old = nil
	}
	switch {
	case old != nil && old.print != print:
		s.mu.Unlock()
		return refused(&refusal{status: http.StatusBadRequest, kind: "idempotency_error", message: "the Idempotency-Key was used with other parameters"})
	case old != nil && old.running:
		s.mu.Unlock()
		return refused(refuse(http.StatusConflict, "idempotency_key_in_use", "another request with this key is running"))
	case old != nil:
		rep := old.reply
		s.mu.Unlock()
		c.log.Replayed = true
		return rep
	}
	s.keys[key] = &saved{print: print, at: s.opt.Now(), running: true}
	s.mu.Unlock()
	rep := s.perform(c, do)
	s.mu.Lock()
	defer s.mu.Unlock()
	if rep.notExecuted {
		delete(s.keys, key)
		return rep
	}
	s.keys[key].reply, s.keys[key].running = rep, false
	return rep
}

func (s *Server) admit(c *call, body []byte, bodyErr error) *refusal {
	given, isBearer := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if !isBearer || subtle.ConstantTimeCompare([]byte(given), []byte(s.opt.SecretKey)) != 1 {
		return refuse(http.StatusUnauthorized, "", "invalid API key provided")
	}
	if bodyErr != nil {
		tooBig := new(http.MaxBytesError)
		if errors.As(bodyErr, &tooBig) {
			return refuse(http.StatusBadRequest, "", "the body is larger than %d bytes", sandbox.MaxBody)
		}
		return refuse(http.StatusBadRequest, "", "the body could not be read")
	}
	raw := c.r.URL.RawQuery
	if c.r.Method == http.MethodPost {
		raw = string(body)
		if t, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || t != "application/x-www-form-urlencoded" {
			return refuse(http.StatusBadRequest, "", "the body must be a form")
		}
	}
	form, err := url.ParseQuery(raw)
	if err != nil {
		return refuse(http.StatusBadRequest, "", "the parameters are malformed")
	}
	for name, values := range form {
		if len(values) > 1 && !strings.HasSuffix(name, "[]") {
			return refuse(http.StatusBadRequest, "", "%s is given more than once", name)
		}
	}
	c.form = form
	return nil
}

// perform runs the endpoint.
func (s *Server) perform(c *call, do operation) reply {
	data, no := do(c)
	if no == nil {
		for _, f := range c.faults {
			if f.Kind == KindSavedError {
				no = &refusal{status: http.StatusInternalServerError, kind: "api_error", message: "something went wrong", executed: true}
			}
		}
	}
	if no != nil {
		return refused(no)
	}
	body, err := json.Marshal(data)
	if err != nil {
		panic(err) // only structs of strings and numbers
	}
	return reply{status: http.StatusOK, body: body}
}

func refused(no *refusal) reply {
	type problem struct {
		Type    string `json:"type"`
		Code    string `json:"code,omitzero"`
		Message string `json:"message"`
		Param   string `json:"param,omitzero"`
	}
	body, _ := json.Marshal(map[string]problem{"error": {no.kind, no.code, no.message, no.param}})
	return reply{status: no.status, body: body, notExecuted: !no.executed}
}

func (s *Server) record(c *call, rep reply) {
	c.log.Status = max(rep.status, 0)
	if n := len(c.faults); n > 0 {
		c.log.Fault = c.faults[n-1].Kind // the delays come first
	}
	s.requests.Add(c.log)
}

func write(w http.ResponseWriter, rep reply) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Request-Id", newID("req"))
	sandbox.Answer(w, rep.status, rep.header, rep.body)
}
