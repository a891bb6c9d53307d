package host

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/paymux/paymux/sdk"
)

// redaction keeps secrets out of log lines and error texts.
type redaction struct {
	mu       sync.Mutex
	secrets  []string
	replacer atomic.Pointer[strings.Replacer]
}

// shortestSecret is the length under which replacing a secret would garble
// ordinary words.
const shortestSecret = 4

func (r *redaction) add(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, secret := range secrets {
		for _, s := range guises(secret) {
			if len(s) >= shortestSecret && !slices.Contains(r.secrets, s) {
				r.secrets = append(r.secrets, s)
			}
		}
	}
	// The longest first, so that no part of one is left behind.
	slices.SortStableFunc(r.secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, s := range r.secrets {
		pairs = append(pairs, s, "[redacted]")
	}
	r.replacer.Store(strings.NewReplacer(pairs...))
}

// shortestLine is the length of a line of a longer secret that gives it away: that
// of a PEM key's last line.
const shortestLine = 16

// guises are the forms in which a log shows a secret: as it is, as %q and JSON
// write it, and line by line.
func guises(secret string) []string {
	quoted := strconv.Quote(secret)
	escaped, _ := json.Marshal(secret) // a string: can't fail
	all := []string{secret, quoted[1 : len(quoted)-1], string(escaped[1 : len(escaped)-1])}
	if strings.Contains(secret, "\n") {
		for line := range strings.Lines(secret) {
			if line = strings.TrimSpace(line); len(line) >= shortestLine {
				all = append(all, line)
			}
		}
	}
	return all
}

// text returns s without secrets.
func (r *redaction) text(s string) string {
	if replacer := r.replacer.Load(); replacer != nil {
		return replacer.Replace(s)
	}
	return s
}

// err returns an error of a plugin without secrets: one that isn't built with
// our sdk may put them there.
func (r *redaction) err(err error) *sdk.Error {
	e := *sdk.AsError(err)
	e.Message, e.AcquirerCode, e.AcquirerRequestID = r.text(e.Message), r.text(e.AcquirerCode), r.text(e.AcquirerRequestID)
	return &e
}
