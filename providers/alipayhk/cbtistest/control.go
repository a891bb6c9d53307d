package cbtistest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// faultJSON is a Fault on the control API: durations are strings such as "1.5s".
type faultJSON struct {
	ID                   int    `json:"id,omitzero"`
	Kind                 Kind   `json:"kind"`
	Op                   Op     `json:"op,omitzero"`
	Times                int    `json:"times"`
	MatchMerchantOrderID string `json:"match_merchant_order_id,omitzero"`
	Delay                string `json:"delay,omitzero"`
	Status               int    `json:"status,omitzero"`
	Code                 int    `json:"code,omitzero"`
	Message              string `json:"message,omitzero"`
	RetryAfter           string `json:"retry_after,omitzero"`
	Field                string `json:"field,omitzero"`
	Size                 int    `json:"size,omitzero"`
	Count                int    `json:"count,omitzero"`
	Used                 int    `json:"used"`
}

func (s *Server) routeControl(mux *http.ServeMux) {
	mux.HandleFunc("POST /sandbox/faults", s.postFault)
	mux.HandleFunc("GET /sandbox/faults", s.getFaults)
	mux.HandleFunc("DELETE /sandbox/faults", s.deleteFaults)
	mux.HandleFunc("DELETE /sandbox/faults/{id}", s.deleteFaults)
	mux.HandleFunc("GET /sandbox/orders", s.getOrders)
	mux.HandleFunc("GET /sandbox/notifications", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, s.Notifications()) })
	mux.HandleFunc("GET /sandbox/requests", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, s.Requests()) })
	mux.HandleFunc("POST /sandbox/orders/{id}/pay", moveOrder(s.Pay))
	mux.HandleFunc("POST /sandbox/orders/{id}/cancel", moveOrder(s.Cancel))
	s.routeKit(mux)
}

// getOrders lists all orders, or those under one merchant_order_id.
func (s *Server) getOrders(w http.ResponseWriter, r *http.Request) {
	list := s.Orders()
	if id := r.URL.Query().Get("merchant_order_id"); id != "" {
		list = slices.DeleteFunc(list, func(o Order) bool { return o.MerchantOrderID != id })
	}
	answer(w, http.StatusOK, list)
}

func (s *Server) postFault(w http.ResponseWriter, r *http.Request) {
	var in faultJSON
	if !readControl(w, r, &in) {
		return
	}
	f, err := in.fault()
	if err != nil {
		failed(w, http.StatusBadRequest, err)
		return
	}
	f.ID = s.Inject(f)
	s.opt.Logger.Warn("fault injected", "id", f.ID, "kind", f.Kind, "op", f.Op, "times", f.Times)
	answer(w, http.StatusCreated, f.json())
}

func (s *Server) getFaults(w http.ResponseWriter, _ *http.Request) {
	list := []faultJSON{}
	for _, f := range s.Faults() {
		list = append(list, f.json())
	}
	answer(w, http.StatusOK, list)
}

func (s *Server) deleteFaults(w http.ResponseWriter, r *http.Request) {
	var ids []int
	if text := r.PathValue("id"); text != "" {
		id, err := strconv.Atoi(text)
		if err != nil {
			failed(w, http.StatusBadRequest, fmt.Errorf("%q is not the id of a fault", text))
			return
		}
		ids = append(ids, id)
	}
	cleared := s.ClearFaults(ids...)
	if cleared == 0 && len(ids) > 0 {
		failed(w, http.StatusNotFound, errors.New("no such fault"))
		return
	}
	answer(w, http.StatusOK, map[string]int{"cleared": cleared})
}

func moveOrder(move func(string) (Order, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		o, err := move(r.PathValue("id"))
		switch {
		case errors.Is(err, ErrNotFound):
			failed(w, http.StatusNotFound, err)
		case errors.Is(err, ErrClosed):
			failed(w, http.StatusConflict, fmt.Errorf("%w: it is %s", err, o.Status))
		case err != nil:
			failed(w, http.StatusInternalServerError, err)
		default:
			answer(w, http.StatusOK, o)
		}
	}
}

func (in faultJSON) fault() (Fault, error) {
	if in.ID != 0 || in.Used != 0 {
		return Fault{}, errors.New("id and used are set by the sandbox")
	}
	f := Fault{
		Kind: in.Kind, Op: in.Op, Times: in.Times, MatchMerchantOrderID: in.MatchMerchantOrderID,
		Status: in.Status, Code: in.Code, Message: in.Message, Field: in.Field, Size: in.Size, Count: in.Count,
	}
	var errs [2]error
	f.Delay, errs[0] = duration("delay", in.Delay)
	f.RetryAfter, errs[1] = duration("retry_after", in.RetryAfter)
	if err := errors.Join(errs[:]...); err != nil {
		return Fault{}, err
	}
	return f, f.Validate()
}

func (f Fault) json() faultJSON {
	out := faultJSON{
		ID: f.ID, Kind: f.Kind, Op: f.Op, Times: f.Times, MatchMerchantOrderID: f.MatchMerchantOrderID,
		Status: f.Status, Code: f.Code, Message: f.Message, Field: f.Field, Size: f.Size, Count: f.Count, Used: f.Used,
	}
	if f.Delay > 0 {
		out.Delay = f.Delay.String()
	}
	if f.RetryAfter > 0 {
		out.RetryAfter = f.RetryAfter.String()
	}
	return out
}

func duration(name, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is not a duration such as \"1.5s\"", name, text)
	}
	return d, nil
}

func failed(w http.ResponseWriter, status int, err error) {
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "cbtistest: "), "json: ")
	answer(w, status, map[string]string{"error": text})
}

func answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v, jsontext.WithIndent("  "))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}
