package config

import (
	"encoding/base64"
	"regexp"
	"strings"
)

var merchantName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

const wantMerchant = "a merchant: up to 64 of a-z, 0-9, _ and -, beginning with a letter or digit"

func (l *loader) apiKeys(v value) []APIKey {
	items, _ := l.items(v, "a list of merchant and key")
	var all []APIKey
	holders := map[string]value{}
	for _, item := range items {
		o, ok := l.object(item, inAPIKey)
		if !ok {
			l.merchants.incomplete = true
			continue
		}
		merchant := l.newMerchant(o)
		f, ok := l.need(o, "key")
		if !ok {
			continue
		}
		key := l.apiKey(f)
		if other, taken := holders[key]; taken && key != "" {
			line, column := place(other.key, other.node)
			l.fail(f, "the same key is already given at %d:%d; expected another", line, column)
		}
		holders[key] = f
		all = append(all, APIKey{merchant, NewSecret(key)})
	}
	return all
}

func (l *loader) newMerchant(o object) string {
	f, ok := l.need(o, "merchant")
	t := text{}
	if ok {
		t, ok = l.text(f, wantMerchant)
	}
	if !ok {
		l.merchants.incomplete = true
		return ""
	}
	l.merchants.add(t)
	if !merchantName.MatchString(t.val) {
		l.fail(f, "found %s; expected %s", t.show(), wantMerchant)
	}
	return t.val
}

// apiKey never shows what it found, not even as it is written.
func (l *loader) apiKey(v value) string {
	const expected = "a key: 16 to 256 printable ASCII characters without spaces"
	t, ok := l.text(v, expected)
	if !ok {
		return ""
	}
	l.hide(t.val)
	for i := range len(t.val) {
		if t.val[i] <= ' ' || t.val[i] > '~' {
			l.fail(v, "found a space or a character that is not printable ASCII; expected %s", expected)
			return ""
		}
	}
	if n := len(t.val); n < 16 || n > 256 {
		l.fail(v, "found %d characters; expected %s", n, expected)
		return ""
	}
	return t.val
}

func (l *loader) returnHosts(v value) []string {
	const expected = `a host name without scheme, port or *, such as "shop.example.com"`
	return l.texts(v, "a list of host names", "expected host names; leave the key out to allow any host", func(v value) (text, bool) {
		t, ok := l.text(v, expected)
		if ok && !isHost(t.val) {
			l.fail(v, "found %s; expected %s", t.show(), expected)
			return t, false
		}
		t.val = strings.ToLower(t.val)
		return t, ok
	})
}

// merchantRef reads the name of a merchant that api_keys defines.
func (l *loader) merchantRef(v value) (text, bool) {
	t, ok := l.text(v, wantMerchant)
	return t, ok && l.merchants.check(l, v, t, "api_keys")
}

func (l *loader) events(v value) []Event {
	items, _ := l.items(v, "a list of url, secret and merchant")
	var all []Event
	for _, item := range items {
		if o, ok := l.object(item, inEvent); ok {
			e := l.event(o)
			for _, other := range all {
				if e.URL != "" && e.URL == other.URL && e.Merchant == other.Merchant {
					l.fail(item, "the same url is already listed for this merchant; each event would be sent twice")
				}
			}
			all = append(all, e)
		}
	}
	return all
}

func (l *loader) event(o object) Event {
	var e Event
	if f, ok := l.need(o, "url"); ok {
		if u, ok := l.url(f, `an absolute URL as a string, such as "https://shop.example.com/hooks/paymux"`); ok {
			e.URL = u.String()
		}
	}
	if f, ok := l.need(o, "secret"); ok {
		e.Secret = l.eventSecret(f)
	}
	if f, ok := l.need(o, "merchant"); ok {
		t, _ := l.merchantRef(f)
		e.Merchant = t.val
	}
	return e
}

// eventSecret never shows what it found, not even as it is written.
func (l *loader) eventSecret(v value) Secret {
	const expected = "whsec_ and 24 to 64 bytes in base64"
	t, ok := l.text(v, expected)
	if !ok {
		return Secret{}
	}
	l.hide(t.val)
	encoded, prefixed := strings.CutPrefix(t.val, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	switch {
	case !prefixed:
		l.fail(v, "found a secret that does not begin with whsec_; expected %s", expected)
	case err != nil || strings.ContainsAny(encoded, "\r\n"):
		l.fail(v, "found a secret that is not base64 after whsec_; expected %s", expected)
	case len(key) < 24 || len(key) > 64:
		l.fail(v, "found a secret of %d bytes; expected %s", len(key), expected)
	}
	return NewSecret(t.val)
}
