package cbtistest

import (
	"cmp"
	"errors"
	"io"
	"net/http"

	"github.com/go-json-experiment/json"
)

// routeKit adds what a conformance harness in a file needs beyond the switches.
func (s *Server) routeKit(mux *http.ServeMux) {
	mux.HandleFunc("GET /sandbox/orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		o, ok := s.Order(r.PathValue("id"))
		if !ok {
			failed(w, http.StatusNotFound, ErrNotFound)
			return
		}
		answer(w, http.StatusOK, o)
	})
	mux.HandleFunc("POST /sandbox/orders/{id}/status", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Status Status `json:"status"`
		}
		if readControl(w, r, &in) {
			moveOrder(func(id string) (Order, error) { return s.SetStatus(id, in.Status) })(w, r)
		}
	})
	mux.HandleFunc("POST /sandbox/refunds/{id}/status", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Status Status `json:"status"`
		}
		if !readControl(w, r, &in) {
			return
		}
		if err := s.SetRefundStatus(r.PathValue("id"), in.Status); err != nil {
			failed(w, http.StatusNotFound, err)
			return
		}
		answer(w, http.StatusOK, in)
	})
	// The body is a notification; the answer is the headers that it must have.
	mux.HandleFunc("POST /sandbox/sign", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			failed(w, http.StatusBadRequest, err)
			return
		}
		s.mu.Lock()
		key := cmp.Or(r.URL.Query().Get("key"), s.key)
		s.mu.Unlock()
		answer(w, http.StatusOK, map[string]string{"Signature": Sign(body, key)})
	})
	mux.HandleFunc("PUT /sandbox/webhook_key", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Key string `json:"key"`
		}
		if !readControl(w, r, &in) {
			return
		}
		if in.Key == "" {
			failed(w, http.StatusBadRequest, errors.New("key is missing"))
			return
		}
		s.SetWebhookKey(in.Key)
		answer(w, http.StatusOK, struct{}{})
	})
}

// readControl reads a JSON object, or answers what is wrong with it.
func readControl(w http.ResponseWriter, r *http.Request, into any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		err = json.Unmarshal(body, into, json.RejectUnknownMembers(true))
	}
	if err != nil {
		failed(w, http.StatusBadRequest, err)
	}
	return err == nil
}
