package transcript

import (
	"net/http"
	"slices"
	"strings"
	"unicode"
)

// shownHeaders are those whose values are no secret; of others only the name is
// recorded. An allowlist, because each acquirer has its own names for keys.
var shownHeaders = []string{
	"Accept", "Content-Type", "Idempotency-Key", "Retry-After", "Location",
	"Client-Id", "X-Client-Id", "Request-Time", "Response-Time", "X-Timestamp",
	"Request-Id", "X-Request-Id", "Stripe-Version", "X-Api-Version",
}

// droppedHeaders differ from one exchange to the next without meaning anything.
var droppedHeaders = []string{"Connection", "Content-Length", "Accept-Encoding", "Date", "User-Agent", "Keep-Alive"}

// secretHeaders are never shown, whatever the options say, and what they hold is
// looked for everywhere else.
var secretHeaders = []string{"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"}

// secretEndings are those of names, in lower case and without separators, whose
// values are secrets. Taking too many costs nothing but a look.
var secretEndings = []string{
	"secret", "token", "password", "passwd", "passphrase", "apikey", "secretkey", "privatekey", "accesskey", "webhookkey", "signkey", "signingkey", "hmackey", "md5key",
	"signature", "authorization", "credential", "cookie",
}

// secretNames are too short to be endings.
var secretNames = []string{"sign", "sig", "pwd", "pin", "cvc", "cvv"}

var plainName = strings.NewReplacer("_", "", "-", "", ".", "", " ", "")

// secretName reports whether a name of a member, field or parameter says that
// its value is a secret. Of a[b] and a[] each part counts.
func secretName(name string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(name, func(r rune) bool { return r == '[' || r == ']' }), secretPart)
}

func secretPart(name string) bool {
	name = plainName.Replace(strings.ToLower(name))
	one := strings.TrimSuffix(name, "s")
	return slices.Contains(secretNames, name) ||
		slices.ContainsFunc(secretEndings, func(end string) bool { return strings.HasSuffix(one, end) })
}

// namesSecret reports whether a word of a text is such a name.
func namesSecret(text string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-'
	}), secretPart)
}

// learnedHeader reports whether a header's value is looked for elsewhere too.
func learnedHeader(name string) bool {
	return secretName(strings.TrimPrefix(name, "X-"))
}

func canonical(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = http.CanonicalHeaderKey(name)
	}
	return all
}
