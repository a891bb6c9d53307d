package airwallextest

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/paymux/paymux/providers/internal/sandbox"
)

// Op names an operation of the API, or the sending of notifications.
type Op string

// The operations faults and logs speak of.
const (
	OpNone           Op = "none" // an unknown path
	OpLogin          Op = "login"
	OpCreate         Op = "create"
	OpConfirm        Op = "confirm"
	OpRetrieve       Op = "retrieve"
	OpList           Op = "list"
	OpCancel         Op = "cancel"
	OpRefund         Op = "refund"
	OpRefundRetrieve Op = "refund_retrieve"
	OpRefundList     Op = "refund_list"
	OpSimulate       Op = "simulate"
	OpNotify         Op = "notify"
)

// Request is one call of the API, as the log keeps it. It has no headers, so
// neither keys nor tokens.
type Request struct {
	Op     Op
	Method string
	Path   string // with its query
	Body   string
	Status int // as answered; -1: the connection was closed
	Fault  Kind
}

// call is one request to the API.
type call struct {
	op     Op
	r      *http.Request
	body   []byte
	faults []Fault // those that apply to this call
	served bool    // the operation was done, or refused
}

// reply is what a call is answered with.
type reply struct {
	status int
	header http.Header
	body   any // marshalled as JSON unless it is []byte
}

// refusal is the acquirer's "no".
type refusal struct {
	status  int
	code    string
	message string
	source  string // the member that is at fault
}

type errorData struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Source  string `json:"source,omitzero"`
}

func (no *refusal) reply() reply {
	return reply{status: no.status, body: errorData{no.code, no.message, no.source}}
}

func (s *Server) invalid(source, format string, args ...any) *refusal {
	return &refusal{http.StatusBadRequest, s.opt.Codes.Invalid, fmt.Sprintf(format, args...), source}
}

func (s *Server) notFound() *refusal {
	return &refusal{http.StatusNotFound, s.opt.Codes.NotFound, "there is no such object", ""}
}

// operation does the work of one endpoint and returns the status of success.
type operation func(*call) (int, any, *refusal)

func (s *Server) endpoint(op Op, do operation) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, sandbox.MaxBody))
		c := &call{op: op, r: r, body: body}
		s.mu.Lock()
		c.faults = s.takeLocked(op)
		s.mu.Unlock()
		rep, sent := s.before(c)
		if !sent {
			rep = s.after(c, s.perform(c, do, err))
		}
		s.log(c, rep)
		s.write(w, rep)
	})
}

func (s *Server) perform(c *call, do operation, bodyErr error) reply {
	if no := s.admit(c, bodyErr); no != nil {
		return no.reply()
	}
	c.served = true
	status, data, no := do(c)
	if no != nil {
		return no.reply()
	}
	return reply{status: status, body: data}
}

// admit checks what all requests have in common.
func (s *Server) admit(c *call, bodyErr error) *refusal {
	if c.op == OpNone {
		return nil
	}
	if c.op != OpLogin {
		if no := s.authorize(c.r); no != nil {
			return no
		}
	}
	if c.r.Header.Get("X-Api-Version") == "" {
		return s.invalid("x-api-version", "the header is missing")
	}
	if bodyErr != nil {
		return s.invalid("", "the body can't be read or is larger than %d bytes", sandbox.MaxBody)
	}
	if c.r.Method != http.MethodPost {
		return nil
	}
	if t, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return s.invalid("content-type", "must be application/json")
	}
	return nil
}

// decode reads a request strictly: exact names, no duplicates, numbers as numbers.
func (s *Server) decode(c *call, into any) *refusal {
	err := json.Unmarshal(c.body, into, json.RejectUnknownMembers(!s.opt.AllowUnknownFields))
	if err != nil {
		return s.invalid("", "the body is no valid request: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

func (s *Server) unknownPath(*call) (int, any, *refusal) { return 0, nil, s.notFound() }

func (s *Server) write(w http.ResponseWriter, rep reply) {
	body, ok := rep.body.([]byte)
	if !ok {
		body, _ = json.Marshal(rep.body) // only structs of strings and numbers
	}
	w.Header().Set("Content-Type", "application/json")
	sandbox.Answer(w, rep.status, rep.header, body)
}

func (s *Server) log(c *call, rep reply) {
	entry := Request{Op: c.op, Method: c.r.Method, Path: c.r.URL.RequestURI(), Body: string(c.body), Status: rep.status}
	for _, f := range c.faults {
		entry.Fault = f.Kind
	}
	s.requests.Add(entry)
}

// Requests returns the newest calls of the API, oldest first.
func (s *Server) Requests() []Request { return s.requests.List() }

// login gives a token for the right headers.
func (s *Server) login(c *call) (int, any, *refusal) {
	var body struct{}
	if no := s.decode(c, &body); no != nil {
		return 0, nil, no
	}
	h := c.r.Header
	if h.Get("X-Client-Id") != s.opt.ClientID || h.Get("X-Api-Key") != s.opt.APIKey {
		return 0, nil, &refusal{http.StatusUnauthorized, s.opt.Codes.Unauthorized, "the client id or the API key is wrong", ""}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token, until := sandbox.RandomHex(24), s.opt.Now().Add(s.opt.TokenLifetime)
	s.tokens[token] = until
	return http.StatusCreated, struct {
		Token     string `json:"token"`
		ExpiresAt string `json:"expires_at"`
	}{token, apiTime(until)}, nil
}

func (s *Server) authorize(r *http.Request) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, known := s.tokens[bearer(r)]
	if !known || !s.opt.Now().Before(until) {
		return &refusal{http.StatusUnauthorized, s.opt.Codes.Unauthorized, "the access token is missing, wrong or expired", ""}
	}
	return nil
}

func bearer(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

// Tokens returns how many tokens are valid now.
func (s *Server) Tokens() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, until := range s.tokens {
		if s.opt.Now().Before(until) {
			n++
		}
	}
	return n
}
