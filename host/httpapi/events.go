package httpapi

import (
	"net/http"
	"net/url"
	"regexp"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/sdk"
)

var eventID = regexp.MustCompile(`^evt_[0-9A-HJKMNP-TV-Z]{26}$`)

func (a *api) listEvents(w http.ResponseWriter, r *http.Request, merchant string) {
	f, err := eventFilterOf(r.URL)
	if err != nil {
		fail(w, err)
		return
	}
	found, more, err := a.host.Events(r.Context(), merchant, f)
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

func eventFilterOf(u *url.URL) (host.EventFilter, error) {
	query, err := queryOf(u, []string{"cursor", "limit"})
	if err != nil {
		return host.EventFilter{}, err
	}
	f := host.EventFilter{Before: query.Get("cursor")}
	if f.Before != "" && !eventID.MatchString(f.Before) {
		return f, sdk.InvalidField("cursor", "must be a next_cursor of an earlier page")
	}
	f.Limit, err = limitOf(query)
	return f, err
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
