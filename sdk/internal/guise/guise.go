// Package guise knows the forms in which a secret can show in texts: escaped for
// URLs or JSON, quoted, in base64 or hex.
package guise

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Redacted stands where a secret was.
const Redacted = "[redacted]"

const (
	shortest      = 4  // replacing less would garble ordinary words
	shortestBase  = 8  // likewise of what is left of a secret within longer base64
	shortestLine  = 16 // of a secret with several lines, such as a key in PEM
	pemDashes     = "-----"
	base64Aligned = 3
)

// Replacer takes secrets out of texts, in all their forms.
func Replacer(secrets ...string) *strings.Replacer {
	var all []string
	for _, s := range secrets {
		all = append(all, Forms(s)...)
	}
	// The replacer takes the first that fits: of two with one beginning the
	// longer has to come first, or its end would stay.
	slices.SortStableFunc(all, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range slices.Compact(all) {
		pairs = append(pairs, s, Redacted)
	}
	return strings.NewReplacer(pairs...)
}

// Forms returns the forms of a secret. What is too short to be told from
// ordinary words has none.
func Forms(secret string) []string {
	if secret == Redacted {
		return nil
	}
	var all []string
	for _, s := range parts(secret) {
		if len(s) < shortest {
			continue
		}
		for _, s := range escaped(s) {
			all = append(all, s, url.QueryEscape(s), url.PathEscape(s))
		}
		all = append(all, hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))))
		all = append(all, inBase64(s)...)
	}
	for _, s := range slices.Clone(all) {
		all = append(all, lowerHex.ReplaceAllStringFunc(s, strings.ToLower))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// parts are the secret, without the white space that a file adds, and the lines
// of a long one, which are often joined or broken differently.
func parts(s string) []string {
	all := []string{s, strings.TrimSpace(s)}
	if !strings.Contains(all[1], "\n") {
		return all
	}
	lines := strings.Fields(s)
	all = append(all, strings.Join(lines, ""))
	for _, line := range lines {
		if len(line) >= shortestLine && !strings.Contains(line, pemDashes) {
			all = append(all, line)
		}
	}
	return all
}

// escaped returns a text as it is, by %q, and in JSON with and without escapes
// for HTML.
func escaped(s string) []string {
	inJSON, _ := json.Marshal(s)
	quoted := strconv.Quote(s)
	plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(inJSON))
	return []string{s, quoted[1 : len(quoted)-1], string(inJSON[1 : len(inJSON)-1]), plain[1 : len(plain)-1]}
}

// inBase64 returns what shows of a text in base64, wherever in the encoded bytes
// it begins: in Basic authentication something comes before.
func inBase64(s string) []string {
	all := []string{base64.StdEncoding.EncodeToString([]byte(s)), base64.URLEncoding.EncodeToString([]byte(s))}
	for before := range base64Aligned {
		padded := append(make([]byte, before), s...)
		whole := len(padded) / base64Aligned * 4
		first := (before*4 + 2) / base64Aligned // characters that the bytes before are in
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			if text := encoding.EncodeToString(padded)[first:max(first, whole)]; len(text) >= shortestBase {
				all = append(all, text)
			}
		}
	}
	return all
}

var lowerHex = regexp.MustCompile(`%[0-9A-F]{2}`)
