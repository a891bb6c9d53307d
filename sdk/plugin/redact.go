package plugin

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// redactor takes an instance's secrets out of errors before they leave the
// process: Go's *url.Error prints the URL, and some acquirers put secrets there.
type redactor struct{ replacer *strings.Replacer }

// shortest is the length below which replacing would garble ordinary words.
const shortest = 4

func newRedactor(secrets []string) redactor {
	var all []string
	for _, s := range secrets {
		for _, s := range []string{s, strings.TrimSpace(s)} { // a file's last newline is often trimmed before use
			if len(s) >= shortest {
				all = append(all, forms(s)...)
			}
		}
	}
	// The replacer takes the first that fits: of two with one beginning the
	// longer has to come first, or its end would stay.
	slices.SortStableFunc(all, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range all {
		pairs = append(pairs, s, "[redacted]")
	}
	return redactor{strings.NewReplacer(pairs...)}
}

// forms returns the ways in which a secret shows in texts: as it is, in a URL,
// by %q, in JSON.
func forms(s string) []string {
	inJSON, _ := json.Marshal(s)
	quoted := strconv.Quote(s)
	all := []string{s, quoted[1 : len(quoted)-1], string(inJSON[1 : len(inJSON)-1])}
	for _, escaped := range []string{url.QueryEscape(s), url.PathEscape(s)} {
		all = append(all, escaped, lowerHex.ReplaceAllStringFunc(escaped, strings.ToLower))
	}
	return all
}

var lowerHex = regexp.MustCompile(`%[0-9A-F]{2}`)

func (r redactor) error(e *pb.Error) *pb.Error {
	if e == nil {
		return nil
	}
	e.Message = r.replacer.Replace(e.Message)
	e.Field = r.replacer.Replace(e.Field)
	e.AcquirerCode = r.replacer.Replace(e.AcquirerCode)
	e.AcquirerRequestId = r.replacer.Replace(e.AcquirerRequestId)
	return e
}
