package sdk_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
)

// fmt can't call methods on unexported fields: it prints what is inside. So a
// struct that merely holds a Secret or a Config must not give it away.
func TestSecretsInUnexportedFieldsDoNotPrint(t *testing.T) {
	const secret = "hunter2-hunter2"
	holder := struct {
		secret  sdk.Secret
		secrets []sdk.Secret
		config  sdk.Config
	}{sdk.NewSecret(secret), []sdk.Secret{sdk.NewSecret(secret)}, sdk.NewConfig("main", []byte(`{"key":"`+secret+`"}`))}
	asBytes := strings.Trim(fmt.Sprint([]byte(secret)), "[]")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{holder, &holder} {
			printed := fmt.Sprintf(verb, value)
			for _, leak := range []string{secret, asBytes, fmt.Sprintf("%x", secret)} {
				if strings.Contains(printed, leak) {
					t.Errorf("%s prints the secret: %s", verb, printed)
				}
			}
		}
	}
}

func TestZeroSecret(t *testing.T) {
	var s sdk.Secret
	if !s.IsZero() || s.Reveal() != "" || !sdk.NewSecret("").IsZero() {
		t.Error("the zero Secret is not empty")
	}
}
