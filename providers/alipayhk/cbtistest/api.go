package cbtistest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
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
	OpAuth        Op = "auth"
	OpCreate      Op = "create"
	OpQuery       Op = "query"
	OpRefund      Op = "refund"
	OpRefundQuery Op = "refund_query"
	OpNotify      Op = "notify"
)

const maxBody = sandbox.MaxBody

// call is one request to the API.
type call struct {
	op     Op
	r      *http.Request
	body   []byte
	order  *Order // the order it names, if known; only to match faults
	moid   string // the merchant order id it names, if known
	log    Request
	faults []Fault // those that apply to this call
}

// reply is what a call is answered with.
type reply struct {
	status int
	header http.Header
	code   int
	body   any // marshalled as JSON unless it is []byte
}

// envelope wraps every answer but that of /auth.
type envelope struct {
	Code    int    `json:"code"`
	Data    any    `json:"data"`
	Message string `json:"message"`
	RID     string `json:"rid"`
}

// refusal is a documented "no" of the acquirer.
type refusal struct {
	status  int // 0: Options.RefusalStatus
	code    int
	message string
}

func refuse(code int, format string, args ...any) *refusal {
	return &refusal{code: code, message: fmt.Sprintf(format, args...)}
}

// operation does the work of one endpoint.
type operation func(*call) (any, *refusal)

func (s *Server) endpoint(op Op, do operation) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		c := &call{op: op, r: r, body: body}
		s.open(c)
		rep, sent := s.before(c)
		if !sent {
			rep = s.perform(c, do, err)
			rep = s.after(c, rep)
		}
		c.log.Code = rep.code
		s.close(c, rep)
		s.write(w, c, rep)
	})
}

// perform checks the token, does the operation and wraps its result.
func (s *Server) perform(c *call, do operation, bodyErr error) reply {
	var data any
	no := s.admit(c, bodyErr)
	if no == nil {
		data, no = do(c)
	}
	if no != nil {
		return s.refusal(cmp.Or(no.status, s.opt.RefusalStatus), no.code, no.message)
	}
	if c.op == OpAuth {
		return reply{status: http.StatusOK, body: data}
	}
	return reply{status: http.StatusOK, body: envelope{Data: data, Message: "ok", RID: sandbox.RandomHex(16)}}
}

func (s *Server) admit(c *call, bodyErr error) *refusal {
	if c.op == OpAuth {
		return nil
	}
	if no := s.authorize(c.r); no != nil {
		return no
	}
	if bodyErr != nil {
		tooBig := new(http.MaxBytesError)
		if errors.As(bodyErr, &tooBig) {
			return refuse(s.opt.Codes.BadRequest, "the body is larger than %d bytes", maxBody)
		}
		return refuse(s.opt.Codes.BadRequest, "the body could not be read")
	}
	if t, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return refuse(s.opt.Codes.BadRequest, "Content-Type must be application/json")
	}
	return nil
}

// decode reads a request strictly: exact names, no duplicates, strings as strings.
func (s *Server) decode(c *call, into any) *refusal {
	err := json.Unmarshal(c.body, into, json.RejectUnknownMembers(!s.opt.AllowUnknownFields))
	if err != nil {
		return refuse(s.opt.Codes.BadRequest, "the body is not a valid request: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

func (s *Server) unknownPath(w http.ResponseWriter, r *http.Request) {
	code := s.opt.Codes.NotFound
	c := &call{r: r}
	rep := s.refusal(http.StatusNotFound, code, "no such endpoint or method")
	s.open(c)
	c.log.Code = code
	s.close(c, rep)
	s.write(w, c, rep)
}

func (s *Server) write(w http.ResponseWriter, c *call, rep reply) {
	body, ok := rep.body.([]byte)
	if !ok {
		body, _ = json.Marshal(rep.body) // only structs of strings and numbers
	}
	w.Header().Set("Content-Type", "application/json")
	sandbox.Answer(w, rep.status, rep.header, body)
	s.opt.Logger.Info("api call", "op", c.op, "path", c.r.URL.Path, "merchant_order_id", c.moid,
		"status", rep.status, "code", rep.code, "fault", c.log.Fault)
}

var hongKong = time.FixedZone("+08:00", 8*60*60)

// apiTime writes a time as the documentation's samples of answers do.
func (s *Server) apiTime(t time.Time) string {
	if s.opt.DropFraction {
		return t.In(hongKong).Format(time.RFC3339)
	}
	return t.In(hongKong).Format("2006-01-02T15:04:05.000000000Z07:00")
}
