package host

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/paymux/paymux/sdk"
)

// CreateRequest asks for a payment, in the words of the HTTP API.
type CreateRequest struct {
	// MerchantOrderID names one attempt, for ever: [A-Za-z0-9_-]{1,32}.
	MerchantOrderID string `json:"merchant_order_id"`
	Amount          string `json:"amount"`   // see sdk.ParseMoney
	Currency        string `json:"currency"` // ISO 4217
	Method          string `json:"method"`
	Flow            string `json:"flow"`
	Description     string `json:"description"`        // shown to the payer: 1 to 255 characters
	ReturnURL       string `json:"return_url"`         // optional; where the payer comes back to
	OrderGroup      string `json:"order_group"`        // optional; links attempts at one purchase
	Provider        string `json:"provider,omitempty"` // optional; overrides the routes
	// Metadata is kept with the payment and never sent onward: at most 20 keys.
	Metadata map[string]string `json:"metadata"`
}

// The bounds of a request.
const (
	maxDescription   = 255
	maxReturnURL     = 2048
	maxMetadataKeys  = 20
	maxMetadataKey   = 40
	maxMetadataValue = 500
)

var groupPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ValidOrderGroup reports whether an order_group can have been taken.
func ValidOrderGroup(s string) bool { return groupPattern.MatchString(s) }

// validate checks every field and returns the amount. The first fault is
// returned, in the order in which the API documents the fields.
func (r CreateRequest) validate(returnHosts []string) (sdk.Money, error) {
	if !sdk.ValidOrderID(r.MerchantOrderID) {
		return sdk.Money{}, sdk.InvalidField("merchant_order_id", "must have 1 to 32 characters of A-Z a-z 0-9 _ -")
	}
	money, err := sdk.ParseMoney(r.Amount, r.Currency)
	if err != nil {
		return sdk.Money{}, notSent(err)
	}
	if !slices.Contains(sdk.Methods(), sdk.Method(r.Method)) {
		return sdk.Money{}, sdk.InvalidField("method", "must be one of %v", sdk.Methods())
	}
	if !slices.Contains(sdk.Flows(), sdk.Flow(r.Flow)) {
		return sdk.Money{}, sdk.InvalidField("flow", "must be one of %v", sdk.Flows())
	}
	if n := utf8.RuneCountInString(r.Description); n == 0 || n > maxDescription || !printable(r.Description) {
		return sdk.Money{}, sdk.InvalidField("description", "must have 1 to %d printable characters%s", maxDescription, unprintable(r.Description))
	}
	if r.OrderGroup != "" && !ValidOrderGroup(r.OrderGroup) {
		return sdk.Money{}, sdk.InvalidField("order_group", "must have at most 64 characters of A-Z a-z 0-9 _ -")
	}
	if err := validateReturnURL(r.ReturnURL, returnHosts); err != nil {
		return sdk.Money{}, err
	}
	return money, validateMetadata(r.Metadata)
}

func validateReturnURL(text string, hosts []string) error {
	if text == "" {
		return nil
	}
	fail := func(words string, args ...any) error { return sdk.InvalidField("return_url", words, args...) }
	u, err := url.Parse(text)
	switch {
	case len(text) > maxReturnURL:
		return fail("must have at most %d characters", maxReturnURL)
	case strings.ContainsFunc(text, notInURL):
		return fail("must have only characters that a URL may have: write others as %%XX, and the name of a host as xn--…")
	case err != nil || !u.IsAbs() || u.Hostname() == "" || !validPort(u):
		return fail("must be an absolute URL")
	case u.User != nil:
		return fail("must not hold a user name or password")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return fail("must be https (http is for loopback only)")
	case hosts != nil && !slices.Contains(hosts, strings.ToLower(u.Hostname())):
		return fail("must point to one of return_hosts of the config")
	}
	return nil
}

// notInURL reports characters that RFC 3986 has no place for. Browsers and
// acquirers mend them, each in its own way, and it is passed on unchanged.
func notInURL(r rune) bool {
	return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}", r)
}

// validPort also refuses what no browser can open.
func validPort(u *url.URL) bool {
	port := u.Port()
	if port == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func validateMetadata(m map[string]string) error {
	if len(m) > maxMetadataKeys {
		return sdk.InvalidField("metadata", "must have at most %d keys", maxMetadataKeys)
	}
	for _, k := range slices.Sorted(maps.Keys(m)) { // the same request, the same answer
		v := m[k]
		if k == "" || utf8.RuneCountInString(k) > maxMetadataKey || !printable(k) {
			return sdk.InvalidField("metadata", "keys must have 1 to %d printable characters%s", maxMetadataKey, unprintable(k))
		}
		if utf8.RuneCountInString(v) > maxMetadataValue || strings.ContainsRune(v, 0) || !utf8.ValidString(v) {
			return sdk.InvalidField("metadata."+k, "must be text of at most %d characters", maxMetadataValue)
		}
	}
	return nil
}

// printable also refuses NUL, which PostgreSQL can't store and SQLite would.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// unprintable names what printable refuses, as it can't be seen.
func unprintable(s string) string {
	if !utf8.ValidString(s) {
		return "; it isn't UTF-8"
	}
	if at := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }); at >= 0 {
		r, _ := utf8.DecodeRuneInString(s[at:])
		return fmt.Sprintf("; %U is none", r)
	}
	return ""
}

// digest tells a repetition of the request from another one. The amount counts
// as a number: "1" and "1.00" HKD are the same request.
func (r CreateRequest) digest(money sdk.Money) string {
	r.Amount = money.AmountString()
	text, _ := json.Marshal(r) // strings and a map of strings: can't fail
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
