package httpapi

import (
	_ "embed"
	"net/http"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/host/internal/failpoint"
	"github.com/paymux/paymux/sdk"
)

//go:embed openapi.json
var openAPI []byte

func serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(openAPI)
}

// maxNotification bounds the body of a notification.
const maxNotification = 64 << 10

// notify hands a notification on to the byte, and answers what the adapter says
// once it is durable.
func (a *api) notify(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(w, r, maxNotification)
	if err != nil {
		fail(w, err)
		return
	}
	ack, err := a.host.Notify(r.Context(), r.PathValue("provider"), sdk.HTTPRequest{
		Method: r.Method, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery, Header: r.Header, Body: body,
	})
	if err != nil {
		failNotification(w, err)
		return
	}
	failpoint.Hit("answer.notify")                      // durable, and the acquirer will send it again
	if kind := ack.Header["Content-Type"]; kind != "" { // the other headers are paymux's own
		w.Header().Set("Content-Type", kind)
	} else if len(ack.Body) > 0 {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	if ack.Status == 0 {
		ack.Status = http.StatusOK
	}
	w.WriteHeader(ack.Status)
	_, _ = w.Write(ack.Body)
}

// failNotification asks the acquirer to send it again, unless that can't help.
func failNotification(w http.ResponseWriter, err error) {
	e := forCaller(w, err)
	p := problemOf(e)
	if e.Code != sdk.CodeSignatureInvalid && e.Code != sdk.CodeNotFound {
		p.Status, p.Remedy = http.StatusServiceUnavailable, remedyUnacked
	}
	failWith(w, e, p)
}

func (a *api) listProviders(w http.ResponseWriter, _ *http.Request, merchant string) {
	answer(w, http.StatusOK, page[host.ProviderInfo]{Data: a.host.Providers(merchant)})
}

func (a *api) getProvider(w http.ResponseWriter, r *http.Request, merchant string) {
	info, err := a.host.Provider(merchant, r.PathValue("name"))
	answerOr(w, info, err)
}

// health is the answer of healthz and readyz.
type health struct {
	Service string `json:"service"` // paymux, so that a port can be told from another program's
	Status  string `json:"status"`
}

func healthz(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, health{"paymux", "ok"})
}

func (a *api) readyz(w http.ResponseWriter, r *http.Request) {
	if err := a.host.Ready(r.Context()); err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, health{"paymux", "ready"})
}
