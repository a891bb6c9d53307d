package httpapi

import (
	"net/http"
	"regexp"

	"github.com/paymux/paymux/host"
)

var eventID = regexp.MustCompile(`^evt_[0-9A-HJKMNP-TV-Z]{26}$`)

func (a *api) listEvents(w http.ResponseWriter, r *http.Request, merchant string) {
	before, limit, err := pageQuery(r.URL, eventID)
	if err != nil {
		fail(w, err)
		return
	}
	found, more, err := a.host.Events(r.Context(), merchant, host.EventFilter{Before: before, Limit: limit})
	if err != nil {
		fail(w, err)
		return
	}
	p := page[host.Event]{Data: found}
	if more {
		p.NextCursor = found[len(found)-1].ID
	}
	answer(w, http.StatusOK, p)
}

func (a *api) redeliverEvent(w http.ResponseWriter, r *http.Request, merchant string) {
	if err := noBody(w, r); err != nil {
		fail(w, err)
		return
	}
	event, err := a.host.Redeliver(r.Context(), merchant, r.PathValue("id"))
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusAccepted, event)
}
