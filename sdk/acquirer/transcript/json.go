package transcript

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/sdk/internal/guise"
)

// deepest is how far JSON and URLs in strings are followed.
const deepest = 4

// redactedJSON stands for a value.
var redactedJSON = strconv.Quote(guise.Redacted)

// json takes secrets out of JSON, to the byte: what has none stays as it is. Of
// JSON that is cut short it keeps what can be read. What shows in numbers or
// between values is for the caller to find.
func (s *scrubber) json(text string, depth int) (clean string, omitted int) {
	d := jsontext.NewDecoder(strings.NewReader(text), jsontext.AllowDuplicateNames(true))
	var out strings.Builder
	copied := int64(0) // of text
	secret := false    // the name that came says so
	for {
		kind := d.PeekKind()
		if secret && (kind == '{' || kind == '[') {
			kind = '0' // as a whole
		}
		switch kind {
		case '{', '[', '}', ']':
			if _, err := d.ReadToken(); err != nil {
				return out.String(), len(text) - int(copied)
			}
			out.WriteString(text[copied:d.InputOffset()])
		case '"', '0', 't', 'f', 'n':
			raw, err := d.ReadValue()
			if err != nil {
				return out.String(), len(text) - int(copied)
			}
			end := d.InputOffset()
			out.WriteString(text[copied : end-int64(len(raw))])
			container, length := d.StackIndex(d.StackDepth())
			name := container == '{' && length%2 == 1
			switch {
			case name:
				out.WriteString(s.jsonString(raw, depth))
				secret = secretName(unquote(raw))
				copied = end
				continue
			case secret:
				s.learnJSON(raw)
				out.WriteString(redactedJSON)
			case raw.Kind() == '"':
				out.WriteString(s.jsonString(raw, depth))
			default:
				out.WriteString(string(raw))
			}
		default: // the end, or no JSON
			rest := text[copied:]
			if strings.TrimSpace(rest) != "" || copied == 0 || d.StackDepth() > 0 {
				return out.String(), len(rest)
			}
			return out.String() + rest, 0
		}
		secret = false
		copied = d.InputOffset()
	}
}

// jsonString returns a string, changed only if it holds a secret.
func (s *scrubber) jsonString(raw jsontext.Value, depth int) string {
	plain := unquote(raw)
	clean := s.value(plain, depth)
	if clean == plain {
		return string(raw)
	}
	quoted, err := jsontext.AppendQuote(nil, clean)
	if err != nil {
		return redactedJSON
	}
	return string(quoted)
}

// value takes secrets out of a text that may itself be JSON, a URL or a form.
// Where one of these names a secret but can't be read, nobody can say where the
// secret ends.
func (s *scrubber) value(plain string, depth int) string {
	clean, begin := plain, strings.TrimLeft(plain, " \t\r\n")
	isJSON := strings.HasPrefix(begin, "{") || strings.HasPrefix(begin, "[")
	switch u, err := url.Parse(begin); {
	case !isJSON && !strings.ContainsAny(begin, "=@"):
	case depth >= deepest || !isJSON && err != nil && strings.Contains(begin, "://"):
		if namesSecret(plain) {
			return guise.Redacted
		}
	case isJSON:
		inner, omitted := s.json(plain, depth+1)
		switch {
		case omitted == 0:
			clean = inner
		case namesSecret(plain):
			return guise.Redacted
		}
	case err == nil && (u.Host != "" || u.RawQuery != "" || u.Fragment != ""):
		if cleaned := s.url(u, depth+1); strings.Contains(cleaned, "redacted") { // else left to the byte
			clean = cleaned
		}
	case namesSecret(plain):
		clean = s.form(plain, depth+1)
	}
	return s.text(clean)
}

func unquote(raw jsontext.Value) string {
	plain, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return string(raw)
	}
	return string(plain)
}

// learnJSON notes all strings and numbers within a secret value.
func (s *scrubber) learnJSON(raw jsontext.Value) {
	d := jsontext.NewDecoder(strings.NewReader(string(raw)), jsontext.AllowDuplicateNames(true))
	for {
		token, err := d.ReadToken()
		if err != nil {
			return
		}
		if kind := token.Kind(); kind == '"' || kind == '0' {
			s.learn(token.String())
		}
	}
}
