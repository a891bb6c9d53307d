package guise

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func TestReplacer(t *testing.T) {
	const secret = `p+ß/"&<s>=x y`
	basic := func(user string) string {
		return base64.StdEncoding.EncodeToString([]byte(user + ":" + secret + "\n"))
	}
	r := Replacer(secret + "\n")
	for _, text := range []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), strings.ToLower(url.QueryEscape(secret)),
		fmt.Sprintf("%q", secret), `p+ß/\"&<s>=x y`, `p+ß/\"\u0026\u003cs\u003e=x y`, url.QueryEscape(`p+ß/\"&<s>=x y`),
		hex.EncodeToString([]byte(secret)), base64.URLEncoding.EncodeToString([]byte(secret)), basic(""), basic("a"), basic("ab"), basic("abc"),
	} {
		if got := r.Replace("see " + text + "!"); !strings.Contains(got, Redacted) || strings.Contains(got, "x y") {
			t.Errorf("%s: %s", text, got)
		}
	}
}

func TestReplacerOfKeys(t *testing.T) {
	const line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
	key := "-----BEGIN PRIVATE KEY-----\n" + line + "\n-----END PRIVATE KEY-----\n"
	r := Replacer(key)
	for _, text := range []string{key, line, strings.ReplaceAll(key, "\n", `\n`), strings.ReplaceAll(key, "\n", "\r\n")} {
		if got := r.Replace(text); strings.Contains(got, line) {
			t.Error(got)
		}
	}
	if got := r.Replace("-----BEGIN CERTIFICATE-----"); strings.Contains(got, Redacted) {
		t.Error(got)
	}
}

func TestReplacerSparesWords(t *testing.T) {
	const text = "abc [redacted]"
	if got := Replacer("abc", "", " ", Redacted).Replace(text); got != text {
		t.Error(got)
	}
	if got := Replacer("longer", "longer-still").Replace("longer-still"); got != Redacted {
		t.Error(got)
	}
}
