package host

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
	for _, s := range secrets {
		if len(s) >= shortestSecret && !slices.Contains(r.secrets, s) {
			r.secrets = append(r.secrets, s)
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

// text returns s without secrets.
func (r *redaction) text(s string) string {
	if replacer := r.replacer.Load(); replacer != nil {
		return replacer.Replace(s)
	}
	return s
}
