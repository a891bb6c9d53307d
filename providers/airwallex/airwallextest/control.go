package airwallextest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/paymux/paymux/providers/internal/sandbox"
)

// faultJSON is a Fault on the control API: durations are strings such as "1.5s".
type faultJSON struct {
	Kind       Kind   `json:"kind"`
	Op         Op     `json:"op"`
	Times      int    `json:"times"`
	Delay      string `json:"delay"`
	Status     int    `json:"status"`
	Code       string `json:"code"`
	RetryAfter string `json:"retry_after"`
	Field      string `json:"field"`
}

func (s *Server) routeControl(mux *http.ServeMux) {
	mux.HandleFunc("POST /sandbox/faults", func(w http.ResponseWriter, r *http.Request) {
		f, err := readFault(http.MaxBytesReader(w, r.Body, sandbox.MaxBody))
		if err != nil {
			s.write(w, reply{status: http.StatusBadRequest, body: errorData{Code: s.opt.Codes.Invalid, Message: err.Error()}})
			return
		}
		s.Inject(f)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("DELETE /sandbox/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /sandbox/intents", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		all := []intentData{}
		for _, in := range s.intents {
			all = append(all, intentOf(in))
		}
		s.mu.Unlock()
		s.write(w, reply{status: http.StatusOK, body: all})
	})
}

func readFault(body io.Reader) (Fault, error) {
	var in faultJSON
	if err := json.UnmarshalRead(body, &in, json.RejectUnknownMembers(true)); err != nil {
		return Fault{}, fmt.Errorf("not a fault: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	f := Fault{Kind: in.Kind, Op: in.Op, Times: in.Times, Status: in.Status, Code: in.Code, Field: in.Field}
	for _, d := range []struct {
		text string
		into *time.Duration
	}{{in.Delay, &f.Delay}, {in.RetryAfter, &f.RetryAfter}} {
		if d.text == "" {
			continue
		}
		var err error
		if *d.into, err = time.ParseDuration(d.text); err != nil {
			return Fault{}, fmt.Errorf("%q is not a duration such as \"1.5s\"", d.text)
		}
	}
	return f, f.Validate()
}
