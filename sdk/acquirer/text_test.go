package acquirer_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

func TestClip(t *testing.T) {
	long := strings.Repeat("x", 65)
	if acquirer.Clip("short") != "short" || acquirer.Clip(long[:64]) != long[:64] || acquirer.Clip(long) != long[:64]+"…" {
		t.Error(acquirer.Clip(long))
	}
	if got := acquirer.Clip(strings.Repeat("x", 63) + "餘額不足"); got != strings.Repeat("x", 63)+"…" { // no half of a character
		t.Errorf("%q", got)
	}
}

// The second and third are cases 2 and 1 of RFC 4231.
func TestHMACs(t *testing.T) {
	secrets := []sdk.Secret{sdk.NewSecret("other"), sdk.NewSecret("Jefe"), sdk.NewSecret(strings.Repeat("\x0b", 20))}
	got := acquirer.HMACs(secrets, []byte("what do ya want "), []byte("for nothing?"))
	if len(got) != 3 || hex.EncodeToString(got[1]) != "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" {
		t.Errorf("%x", got)
	}
	if got := acquirer.HMACs(secrets, []byte("Hi There")); hex.EncodeToString(got[2]) != "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" {
		t.Errorf("%x", got)
	}
}
