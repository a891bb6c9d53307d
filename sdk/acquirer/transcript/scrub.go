package transcript

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/paymux/paymux/sdk/internal/guise"
)

// Options say what is left out of a transcript beyond what is always.
type Options struct {
	// Secrets are left out wherever they show, in every form.
	Secrets []string
	// ShowIncoming are headers of answers and notifications to show although
	// they aren't known to be harmless: a signature of the acquirer, which an
	// adapter verifies at replay too.
	ShowIncoming []string
}

// scrubber takes secrets out of messages. It learns: a token in an answer is
// looked for in all that follows.
type scrubber struct {
	show []string

	mu      sync.Mutex
	secrets []string // of the options
	learned []string // newest first
	pending []string // learned, but not looked for yet
	replace *strings.Replacer
}

func newScrubber(o Options) *scrubber {
	s := &scrubber{show: slices.DeleteFunc(canonical(o.ShowIncoming), func(name string) bool { return slices.Contains(secretHeaders, name) })}
	s.secrets, s.replace = slices.Clone(o.Secrets), guise.Replacer(o.Secrets...)
	return s
}

const (
	shortestLearned = 8  // else a member such as "key": "HKD" would be looked for
	mostLearned     = 64 // newest first: tokens rotate, and an answer may hold any number
)

// learn notes a secret, to be looked for once settle was called: to do so after
// each would make an answer with many of them dear.
func (s *scrubber) learn(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := value == guise.Redacted || slices.Contains(s.learned, value) || slices.Contains(s.pending, value)
	if len(value) >= shortestLearned && !known && len(s.pending) < mostLearned {
		s.pending = append(s.pending, value)
	}
}

// settle takes up what was learned and reports whether there was something.
func (s *scrubber) settle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) == 0 {
		return false
	}
	s.learned = slices.Concat(s.pending, s.learned[:min(len(s.learned), mostLearned-len(s.pending))])
	s.pending, s.replace = nil, guise.Replacer(slices.Concat(s.learned, s.secrets)...)
	return true
}

// text takes out every secret that is known by its value.
func (s *scrubber) text(text string) string {
	s.mu.Lock()
	replace := s.replace
	s.mu.Unlock()
	return replace.Replace(text)
}

// message takes the secrets out of one. What it teaches may stand anywhere in it,
// so that it is read a second time then.
func (s *scrubber) message(m Message, target string, header http.Header, body []byte, incoming bool) *Message {
	s.learnHeader(header)
	for again := false; ; again = true {
		m.Body, m.Omitted = s.body(header, body)
		if target != "" {
			m.URL = s.link(target)
		}
		m.Header = s.header(header, incoming)
		if !s.settle() || again {
			return &m
		}
	}
}

// header returns the headers to record: names of all, values of the harmless.
func (s *scrubber) header(from http.Header, incoming bool) http.Header {
	out := make(http.Header, len(from))
	for name, values := range from {
		name = http.CanonicalHeaderKey(name)
		if slices.Contains(droppedHeaders, name) {
			continue
		}
		shown := slices.Contains(shownHeaders, name) || incoming && slices.Contains(s.show, name)
		for _, v := range values {
			if !shown {
				v = guise.Redacted
			} else if name == "Location" {
				v = s.link(v)
			}
			out[name] = append(out[name], s.text(v))
		}
	}
	return out
}

// learnHeader notes the secrets in headers.
func (s *scrubber) learnHeader(from http.Header) {
	for name, values := range from {
		name = http.CanonicalHeaderKey(name)
		if !learnedHeader(name) || slices.Contains(s.show, name) {
			continue
		}
		for _, v := range values {
			s.learn(v)
			for _, part := range strings.Fields(v) { // Bearer and the token
				s.learn(part)
			}
			if _, cookie, ok := strings.Cut(v, "="); ok && strings.HasSuffix(name, "Cookie") {
				cookie, _, _ = strings.Cut(cookie, ";")
				s.learn(cookie)
			}
		}
	}
}

// link takes secrets out of a URL.
func (s *scrubber) link(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return guise.Redacted
	}
	return s.url(u, 0)
}

func (s *scrubber) url(from *url.URL, depth int) string {
	u := *from
	if u.User != nil {
		password, _ := u.User.Password()
		s.learn(password)
		s.learn(u.User.Username()) // some acquirers take the key as the name
		u.User = url.User("redacted")
	}
	u.RawQuery = s.form(u.RawQuery, depth)
	fragment := "" // dropped, but for a mark where a secret was
	if strings.Contains(s.form(u.EscapedFragment(), depth), guise.Redacted) {
		fragment = "#" + guise.Redacted
	}
	u.Fragment, u.RawFragment = "", ""
	text := s.text(u.String())
	if plain, err := url.PathUnescape(u.EscapedPath()); err != nil || s.text(plain) != plain {
		u.Path, u.RawPath = "/"+guise.Redacted, "" // escaped in a form that no encoder makes
		text = s.text(u.String())
	}
	return text + fragment
}

// form takes secrets out of a query or a form; what is none is left out.
func (s *scrubber) form(raw string, depth int) string {
	if raw == "" {
		return ""
	}
	fields := strings.Split(raw, "&")
	for i, field := range fields {
		name, value, _ := strings.Cut(field, "=")
		plainName, err := url.QueryUnescape(name)
		plain, err2 := url.QueryUnescape(value)
		switch {
		case err != nil || err2 != nil:
			fields[i] = guise.Redacted
		case secretName(plainName):
			s.learn(plain)
			fields[i] = name + "=" + guise.Redacted
		default:
			if clean := s.value(plain, depth); clean != plain {
				fields[i] = name + "=" + url.QueryEscape(clean)
			}
			if s.text(plainName) != plainName {
				fields[i] = guise.Redacted
			}
		}
	}
	return s.text(strings.Join(fields, "&"))
}

// body takes secrets out of a body, and tells how many bytes it left out because
// it can't read them. A body without secrets keeps every byte.
func (s *scrubber) body(header http.Header, body []byte) (text string, omitted int) {
	if len(body) == 0 {
		return "", 0
	}
	if !utf8.Valid(body) {
		return "", len(body)
	}
	media, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	if media == "application/x-www-form-urlencoded" {
		return s.form(string(body), 0), 0
	}
	text, omitted = s.json(string(body), 0)
	return s.text(text), omitted
}
