package repotest

import (
	"regexp"
	"strings"
	"testing"
)

// That a comparison takes the same time however much is right can't be seen from
// outside: a plain == passes every other test.
func TestSignaturesAreComparedInConstantTime(t *testing.T) {
	compare := regexp.MustCompile(`(?s)\nfunc MatchHexDigest\(.*?\n}`).FindString(string(read(t, "sdk/acquirer/http.go")))
	if !strings.Contains(compare, "subtle.ConstantTimeCompare([]byte(got), []byte(want))") {
		t.Errorf("MatchHexDigest doesn't compare in constant time: %s", compare)
	}
	if early := regexp.MustCompile(`got [!=]=|[!=]= got|return true|break`).FindString(compare); early != "" {
		t.Errorf("MatchHexDigest tells by its time which digest matched: %q", early)
	}
	plain := regexp.MustCompile(`Get\("[^"]*[Ss]ignature"\) [!=]=|[!=]= \w+\.Get\("[^"]*[Ss]ignature"\)|(bytes\.Equal|strings\.EqualFold)\(.*[Ss]ignature`)
	looked := 0
	for _, path := range files(t) {
		if !strings.HasPrefix(path, "providers/") || !strings.HasSuffix(path, "/notification.go") {
			continue
		}
		looked++
		if found := plain.Find(read(t, path)); found != nil {
			t.Errorf("%s compares a signature by %s: use acquirer.MatchHexDigest", path, found)
		}
	}
	if looked < 4 {
		t.Errorf("only %d adapters read notifications", looked)
	}
}

// The same goes for merchants' keys: which of them it was, and how much of it was
// right, must not show in the time.
func TestAPIKeysAreComparedInConstantTime(t *testing.T) {
	find := regexp.MustCompile(`(?s)\nfunc \(k keyring\) merchantOf\(.*?\n}`).FindString(string(read(t, "host/httpapi/auth.go")))
	if !strings.Contains(find, "subtle.ConstantTimeCompare(k[i].digest[:], digest[:])") {
		t.Errorf("merchantOf doesn't compare in constant time: %s", find)
	}
	if early := regexp.MustCompile(`return .*true|break|string\(digest|[!=]= (digest|key)\b|\b(digest|key) [!=]=`).FindString(find); early != "" {
		t.Errorf("merchantOf tells by its time which key matched: %q", early)
	}
}
