package antomtest

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/paymux/paymux/providers/internal/sandbox"
)

// Op names an operation of the API, or the sending of notifications.
type Op string

// The operations that faults and logs speak of.
const (
	OpAny         Op = "any" // all that a fault's kind applies to
	OpPay         Op = "pay"
	OpQuery       Op = "inquiryPayment"
	OpCancel      Op = "cancel"
	OpRefund      Op = "refund"
	OpRefundQuery Op = "inquiryRefund"
	OpNotify      Op = "notify"
)

const (
	livePath    = "/ams/api/v1"
	sandboxPath = "/ams/sandbox/api/v1"
)

// Request is one call to the API, as the log keeps it.
type Request struct {
	Op         Op
	Path       string
	Body       string
	Status     int    // HTTP status; 0: the connection was closed
	ResultCode string // empty if a fault answered
	Fault      Kind
}

// call is one request to the API.
type call struct {
	op     Op
	base   string // the path in front of /payments
	r      *http.Request
	body   []byte
	faults []Fault // those that apply to this call
	log    Request
}

// Result is in every answer and notification.
type Result struct {
	Code    string `json:"resultCode"`
	Status  string `json:"resultStatus"`
	Message string `json:"resultMessage"`
}

var success = Result{"SUCCESS", "S", "success"}

func refuse(code, format string, args ...any) any {
	return struct {
		Result Result `json:"result"`
	}{Result{code, "F", fmt.Sprintf(format, args...)}}
}

// reply is what a call is answered with.
type reply struct {
	status int
	header http.Header
	body   []byte
	sign   bool
}

// operation does the work of one endpoint and returns the answer's body.
type operation func(*call) any

func (s *Server) endpoint(op Op, base string, do operation) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, sandbox.MaxBody))
		c := &call{op: op, base: base, r: r, body: body}
		c.log = Request{Op: op, Path: r.URL.Path, Body: string(body)}
		s.takeFaults(c)
		rep, answered := s.before(c)
		if !answered {
			answer := s.perform(c, do, err)
			c.log.ResultCode = codeOf(answer)
			rep = s.after(c, answer)
		}
		c.log.Status = max(rep.status, 0)
		s.requests.Add(c.log)
		s.write(w, c, rep)
	})
}

// Requests returns the calls to the API, oldest first.
func (s *Server) Requests() []Request { return s.requests.List() }

func codeOf(answer any) string {
	var head struct {
		Result Result `json:"result"`
	}
	_ = json.Unmarshal(encode(answer), &head) // what we wrote ourselves
	return head.Result.Code
}

// perform checks the headers and the signature, and does the operation.
func (s *Server) perform(c *call, do operation, bodyErr error) any {
	codes, h := s.opt.Codes, c.r.Header
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	switch {
	case bodyErr != nil:
		return refuse(codes.BadRequest, "the body could not be read")
	case err != nil || media != "application/json" || !strings.EqualFold(params["charset"], "UTF-8"):
		return refuse(codes.BadRequest, "Content-Type must be application/json; charset=UTF-8")
	case h.Get("Client-Id") != s.opt.ClientID:
		return refuse(codes.BadClient, "the client id is unknown")
	case !readableTime(h.Get("Request-Time")):
		return refuse(codes.BadRequest, "Request-Time must be milliseconds or ISO 8601")
	}
	if err := signedBy(s.opt.MerchantKey, s.opt.KeyVersion, c.r.Method, c.r.URL.Path, s.opt.ClientID,
		h.Get("Request-Time"), c.body, h.Get("Signature")); err != nil {
		return refuse(codes.BadSignature, "%v", err)
	}
	if c.base == sandboxPath && !s.sandbox() {
		return refuse(codes.BadClient, "a live client has no business here")
	}
	return do(c)
}

func (s *Server) sandbox() bool { return strings.HasPrefix(s.opt.ClientID, "SANDBOX_") }

func readableTime(text string) bool {
	_, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		_, err = time.Parse(time.RFC3339, text)
	}
	return err == nil
}

// decode reads a request strictly: exact names, no duplicates, strings only.
func decode(c *call, into any) error {
	return json.Unmarshal(c.body, into, json.RejectUnknownMembers(true))
}

func encode(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // only structs of strings
	}
	return body
}

func (s *Server) write(w http.ResponseWriter, c *call, rep reply) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=UTF-8")
	if rep.sign {
		at := s.timeHeader(s.opt.Now())
		h.Set("Client-Id", s.opt.ClientID)
		h.Set("response-time", at)
		h.Set("Signature", Sign(s.signingKey(), c.r.Method, c.r.URL.Path, s.opt.ClientID, at, rep.body))
	}
	sandbox.Answer(w, rep.status, rep.header, rep.body)
}

var hongKong = time.FixedZone("+08:00", 8*60*60)

func apiTime(t time.Time) string { return t.In(hongKong).Format(time.RFC3339) }

func (s *Server) timeHeader(t time.Time) string {
	if s.opt.ISOTime {
		return apiTime(t)
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}
