package plugin

import "testing"

func TestRedactor(t *testing.T) {
	for _, c := range []struct {
		secrets    []string
		text, want string
	}{
		{nil, "nothing to hide", "nothing to hide"},
		{[]string{"abcd", "abcdefgh"}, "x abcdefgh y", "x [redacted] y"}, // the longer first, whatever their order
		{[]string{"abcdefgh", "abcd"}, "abcd abcdefgh", "[redacted] [redacted]"},
		{[]string{"abc"}, "abc", "abc"},                      // too short: it would garble words
		{[]string{"abcdef\n"}, "is abcdef", "is [redacted]"}, // from a file, trimmed by its reader
		{[]string{"a&b<c"}, `"a\u0026b\u003cc"`, `"[redacted]"`},
		{[]string{"密碼密碼"}, "x%E5%AF%86%E7%A2%BC%E5%AF%86%E7%A2%BC", "x[redacted]"},
	} {
		if got := newRedactor(c.secrets).replacer.Replace(c.text); got != c.want {
			t.Errorf("%q in %q: %q", c.secrets, c.text, got)
		}
	}
	if newRedactor(nil).error(nil) != nil {
		t.Error("no error became one")
	}
}
