package acquirer

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"

	"github.com/paymux/paymux/sdk"
)

// Clip keeps an acquirer's words from flooding a reason that people read.
func Clip(s string) string {
	const most = 64
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// HMACs are the HMAC-SHA256 of the parts, one after the other, by each secret:
// what a notification may be signed with while secrets rotate. See
// [MatchHexDigest].
func HMACs(secrets []sdk.Secret, parts ...[]byte) [][]byte {
	all := make([][]byte, len(secrets))
	for i, secret := range secrets {
		h := hmac.New(sha256.New, []byte(secret.Reveal()))
		for _, part := range parts {
			h.Write(part)
		}
		all[i] = h.Sum(nil)
	}
	return all
}
