package host

import (
	"cmp"
	"encoding/json"
	"maps"
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
	secrets  map[string]bool
	replacer atomic.Pointer[strings.Replacer] // nil: to be made of them
}

// shortestSecret is the length under which replacing a secret would garble
// ordinary words.
const shortestSecret = 4

func (r *redaction) add(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, secret := range secrets {
		for _, s := range guises(secret) {
			if len(s) < shortestSecret || r.secrets[s] {
				continue
			}
			if r.secrets == nil {
				r.secrets = map[string]bool{}
			}
			r.secrets[s] = true
			r.replacer.Store(nil) // made once they are all known: there may be thousands
		}
	}
}

// current is the replacer of all secrets so far.
func (r *redaction) current() *strings.Replacer {
	if known := r.replacer.Load(); known != nil {
		return known
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// The longest first, so that no part of one is left behind.
	longest := slices.SortedFunc(maps.Keys(r.secrets), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b))
	})
	var pairs []string
	for _, s := range longest {
		pairs = append(pairs, s, "[redacted]")
	}
	made := strings.NewReplacer(pairs...)
	r.replacer.Store(made)
	return made
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
	return r.current().Replace(s)
}

// err returns an error of a plugin without secrets: one that isn't built with
// our sdk may put them there.
func (r *redaction) err(err error) *sdk.Error {
	e := *sdk.AsError(err)
	e.Message, e.AcquirerCode, e.AcquirerRequestID = r.text(e.Message), r.text(e.AcquirerCode), r.text(e.AcquirerRequestID)
	return &e
}
