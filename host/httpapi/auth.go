package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/sdk"
)

// keyring finds the merchant of a key. It holds digests, so that comparing takes
// the same time whatever is sent.
type keyring []struct {
	digest   [sha256.Size]byte
	merchant string
}

func newKeyring(keys []config.APIKey) keyring {
	ring := make(keyring, len(keys))
	for i, k := range keys {
		ring[i].digest, ring[i].merchant = sha256.Sum256([]byte(k.Key.Reveal())), k.Merchant
	}
	return ring
}

// merchantOf goes through all keys, also after it found one.
func (k keyring) merchantOf(key string) (merchant string, ok bool) {
	digest := sha256.Sum256([]byte(key))
	for i := range k {
		if subtle.ConstantTimeCompare(k[i].digest[:], digest[:]) == 1 {
			merchant, ok = k[i].merchant, true
		}
	}
	return merchant, ok
}

// merchant lets in whoever sends a known key, as the merchant whose it is.
func (a *api) merchant(serve func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		merchant, ok := "", false
		scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if strings.EqualFold(scheme, "Bearer") && len(r.Header.Values("Authorization")) == 1 {
			merchant, ok = a.keys.merchantOf(strings.TrimLeft(key, " "))
		}
		if !ok {
			w.Header().Set("WWW-Authenticate", "Bearer")
			fail(w, sdk.NotSent(sdk.CodeUnauthenticated, "send Authorization: Bearer with one of the keys in api_keys"))
			return
		}
		if rec, ok := w.(*recorder); ok {
			rec.merchant = merchant
		}
		serve(w, r, merchant)
	}
}
