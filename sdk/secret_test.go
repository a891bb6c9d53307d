package sdk_test

import (
	"encoding/json"
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

// What doesn't fit quotes nothing, and nothing was sent.
func TestConfigThatDoesNotFit(t *testing.T) {
	var into struct{ Key int }
	err := sdk.NewConfig("main", []byte(`{"key":47110815471108154711}`)).Decode(&into)
	e := sdk.AsError(err)
	if e == nil || e.Code != sdk.CodeInvalidConfig || e.Outcome != sdk.OutcomeNotSent || strings.Contains(e.Error(), "4711") {
		t.Errorf("%v", err)
	}
	for _, hidden := range []any{sdk.NewSecret("4711"), sdk.NewConfig("main", []byte(`{"key":4711}`))} {
		if b, err := json.Marshal(hidden); err != nil || string(b) != `"[redacted]"` {
			t.Errorf("%T in JSON: %s, %v", hidden, b, err)
		}
	}
}
