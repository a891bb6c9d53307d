package sdk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
)

func TestStatuses(t *testing.T) {
	terminal := map[sdk.Status]bool{sdk.StatusSucceeded: true, sdk.StatusCancelled: true, sdk.StatusExpired: true, sdk.StatusFailed: true}
	all := sdk.Statuses()
	if len(all) != 8 {
		t.Errorf("%d states", len(all))
	}
	for i, s := range all {
		if int(s) != i || sdk.ParseStatus(s.String()) != s || s.Terminal() != terminal[s] {
			t.Errorf("%d: %s, parsed %s, terminal %t", i, s, sdk.ParseStatus(s.String()), s.Terminal())
		}
	}
	for _, name := range []string{"", "succeeded", "PAID", "SUCCEEDED ", "4"} {
		if s := sdk.ParseStatus(name); s != sdk.StatusUnknown {
			t.Errorf("%q is %s", name, s)
		}
	}
	if s := sdk.Status(200); s.String() != "UNKNOWN" || s.Terminal() {
		t.Errorf("a number unheard of is %s, terminal %t", s, s.Terminal())
	}
	for _, s := range []sdk.RefundStatus{sdk.RefundUnknown, sdk.RefundPending, sdk.RefundSucceeded, sdk.RefundFailed, 200} {
		if want := s == sdk.RefundSucceeded || s == sdk.RefundFailed; s.Terminal() != want {
			t.Errorf("refund %s: terminal %t", s, s.Terminal())
		}
	}
}

// Forgetting to say something must mean the careful thing.
func TestZeroValuesAreCareful(t *testing.T) {
	for got, want := range map[fmt.Stringer]string{
		sdk.Payment{}.Status: "UNKNOWN", sdk.Refund{}.Status: "UNKNOWN", sdk.Error{}.Outcome: "UNKNOWN",
		sdk.Outcome(99): "UNKNOWN", sdk.RefundStatus(99): "UNKNOWN", sdk.NotificationEvent{}.Kind: "other", sdk.EventKind(99): "other",
	} {
		if got.String() != want {
			t.Errorf("%T: %s, want %s", got, got, want)
		}
	}
	if (sdk.Capabilities{}).CreateRetry.Native {
		t.Error("the zero CreateRetry allows to send an order twice")
	}
}

const hidden = "hunter2-hidden"

// An adapter's struct, as people write them: with unexported fields, of which
// fmt can't call the methods.
type account struct {
	key    sdk.Secret
	config sdk.Config
	Keys   []sdk.Secret
	More   map[string]sdk.Config
}

func TestSecretsNeverPrint(t *testing.T) {
	secret, config := sdk.NewSecret(hidden), sdk.NewConfig("main", []byte(`{"key":"`+hidden+`"}`))
	a := account{secret, config, []sdk.Secret{secret}, map[string]sdk.Config{"a": config}}
	leaks := []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("%X", hidden), strings.Trim(fmt.Sprint([]byte(hidden)), "[]")}
	check := func(how, printed string) {
		t.Helper()
		for _, leak := range leaks {
			if strings.Contains(printed, leak) {
				t.Errorf("%s prints the secret: %s", how, printed)
			}
		}
	}
	values := []any{secret, &secret, config, &config, a, &a, []sdk.Secret{secret}, map[string]any{"k": secret}, struct{ S any }{config}}
	for _, v := range values {
		for _, verb := range strings.Split("v +v #v s q x X d t T p U b o c e g 10.3s", " ") {
			check("%"+verb, fmt.Sprintf("%"+verb, v))
		}
		check("Sprintln", fmt.Sprintln(v))
		check("error", fmt.Errorf("bad: %v", v).Error())
		encoded, _ := json.Marshal(v)
		check("JSON", string(encoded))
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", v, slog.Group("g", "v", v))
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "v", v, slog.Group("g", "v", v))
		check("slog", log.String())
	}
	if secret.String() != "[redacted]" || secret.Reveal() != hidden {
		t.Error("Secret is broken")
	}
	if reflect.TypeFor[sdk.Secret]().Comparable() {
		t.Error("Secret can be compared by ==, which compares pointers and takes a time that depends on the content elsewhere")
	}
}

func TestSecretDecodes(t *testing.T) {
	var into struct {
		Key  sdk.Secret   `json:"key"`
		Keys []sdk.Secret `json:"keys"`
		Not  sdk.Secret   `json:"not"`
	}
	object := []byte(`{"key":"a","keys":["b","c"]}`)
	config := sdk.NewConfig("main", object)
	clear(object) // the caller may use its buffer again
	if err := config.Decode(&into); err != nil {
		t.Fatal(err)
	}
	if into.Key.Reveal() != "a" || len(into.Keys) != 2 || into.Keys[1].Reveal() != "c" || !into.Not.IsZero() || into.Key.IsZero() || into.Not.Reveal() != "" {
		t.Error("wrong secrets")
	}
	if config.Name() != "main" {
		t.Error(config.Name())
	}
	var wrong struct{ Key int }
	err := config.Decode(&wrong)
	if !sdk.IsCode(err, sdk.CodeInvalidConfig) || strings.Contains(err.Error(), `"a"`) {
		t.Error(err)
	}
	if err := (sdk.Config{}).Decode(&into); err != nil {
		t.Errorf("the zero Config: %v", err)
	}
}

func TestErrorText(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{sdk.Refused(sdk.CodeRefused, "no %s", "funds"), "REFUSED: no funds"},
		{sdk.InvalidField("amount", "is missing"), "INVALID_REQUEST: amount: is missing"},
		{sdk.ConfigError("/base_url", "must be https"), "INVALID_CONFIG: /base_url: must be https"},
		{&sdk.Error{Code: sdk.CodeAcquirerError, Message: "failed", AcquirerCode: "40004", AcquirerRequestID: "r1"},
			"ACQUIRER_ERROR: failed (acquirer's code 40004) (acquirer's request id r1)"},
		{&sdk.Error{}, "UNSPECIFIED"},
		{&sdk.Error{Code: 999}, "UNSPECIFIED"},
		{(*sdk.Error)(nil), "nil *sdk.Error"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestAsError(t *testing.T) {
	inner := sdk.NotSent(sdk.CodeAcquirerUnavailable, "dial: %w", context.DeadlineExceeded)
	if e := sdk.AsError(fmt.Errorf("token: %w", inner)); e != inner {
		t.Errorf("a wrapped *Error: %v", e)
	}
	if !errors.Is(inner, context.DeadlineExceeded) || !sdk.IsCode(inner, sdk.CodeAcquirerUnavailable) || sdk.IsCode(inner, sdk.CodeRefused) {
		t.Error("the cause or the code is lost")
	}
	if e := sdk.Unknown(sdk.CodeInternal, "%w and %w", context.Canceled, errors.ErrUnsupported); !errors.Is(e, errors.ErrUnsupported) {
		t.Error("of several causes one is lost")
	}
	// The last: a function that returns *Error, used where an error is wanted.
	for _, err := range []error{errors.New("boom"), context.Canceled, (*sdk.Error)(nil), fmt.Errorf("x: %w", (*sdk.Error)(nil))} {
		e := sdk.AsError(err)
		if e == nil || e.Code != sdk.CodeUnspecified || e.Outcome != sdk.OutcomeUnknown || e.Message == "" {
			t.Errorf("%T: %#v", err, e)
		}
		if sdk.IsCode(err, sdk.CodeUnspecified) {
			t.Errorf("%T passes for an error that has a code", err)
		}
	}
	// An error that is joined with others is no surer than they are.
	refused := sdk.Refused(sdk.CodeRefused, "no")
	for _, c := range []struct {
		err  error
		want sdk.Outcome
	}{
		{errors.Join(inner, sdk.Unknown(sdk.CodeAcquirerTimeout, "late")), sdk.OutcomeUnknown},
		{errors.Join(inner, errors.New("the second address: reset")), sdk.OutcomeUnknown},
		{fmt.Errorf("%w, %w", inner, refused), sdk.OutcomeUnknown},
		{errors.Join(inner, fmt.Errorf("again: %w", inner)), sdk.OutcomeNotSent},
		{errors.Join(nil, refused), sdk.OutcomeRefused},
		{errors.Join(inner, (*sdk.Error)(nil)), sdk.OutcomeUnknown},
	} {
		if e := sdk.AsError(c.err); e.Outcome != c.want {
			t.Errorf("%v is %s, want %s", c.err, e.Outcome, c.want)
		}
	}
	if inner.Outcome != sdk.OutcomeNotSent {
		t.Error("AsError changed the error that it was given")
	}
	if sdk.AsError(nil) != nil || (*sdk.Error)(nil).Unwrap() != nil {
		t.Error("nil isn't nil")
	}
}

func TestHTTPRequestGet(t *testing.T) {
	r := sdk.HTTPRequest{Header: map[string][]string{"X-Sign": {"a", "b"}, "Empty": {}}}
	if r.Get("X-Sign") != "a" || r.Get("Empty") != "" || r.Get("None") != "" || (sdk.HTTPRequest{}).Get("X-Sign") != "" {
		t.Error("wrong header value")
	}
}

func TestValidOrderID(t *testing.T) {
	for id, want := range map[string]bool{
		"a": true, "A-9_z": true, strings.Repeat("x", 32): true,
		"": false, strings.Repeat("x", 33): false, "a b": false, "a.b": false, "\u00e4": false, "\uff11": false, "a\n": false, "a/b": false, "\xff": false,
	} {
		if sdk.ValidOrderID(id) != want {
			t.Errorf("%q: %t", id, !want)
		}
	}
}
