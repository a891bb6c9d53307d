package acquirer

import (
	"crypto/subtle"
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/paymux/paymux/sdk"
)

// maxRetryAfter keeps a hint a hint: what asks for more is nonsense.
const maxRetryAfter = 24 * time.Hour

// ParseRetryAfter reads the value of a Retry-After header, seconds or an HTTP
// date. What can't be read, or is in the past, is zero; a day is the most.
func ParseRetryAfter(value string, now time.Time) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// ParseBaseURL reads the URL under which an acquirer's API is found: https, or
// http on the own machine; a path is allowed, user information, query and
// fragment are not. Its errors are for the config member at pointer.
func ParseBaseURL(pointer, raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, sdk.ConfigError(pointer, "must be an absolute URL, such as https://api.example.com")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return nil, sdk.ConfigError(pointer, "must begin with https:// (http:// only for this machine, such as 127.0.0.1)")
	case u.User != nil:
		return nil, sdk.ConfigError(pointer, "must not hold a user name or password")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, sdk.ConfigError(pointer, "must not hold a query or a fragment")
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// MatchHexDigest reports whether got is the lower-case hex form of one of the
// digests. It compares in constant time and with all of them, so that neither
// how much of got is right nor which key matched can be measured.
func MatchHexDigest(got string, digests ...[]byte) bool {
	matches := 0
	for _, digest := range digests {
		want := hex.EncodeToString(digest)
		matches |= subtle.ConstantTimeCompare([]byte(got), []byte(want))
	}
	return matches == 1
}
