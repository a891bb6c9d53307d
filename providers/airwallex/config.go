package airwallex

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	defaultAPIVersion = "2025-06-30"
	defaultAppFlow    = "mobile_app"
	defaultTolerance  = 300    // seconds
	longestTolerance  = 259200 // three days: for so long the acquirer repeats
)

// config is one account's configuration, as schema.json describes it.
type config struct {
	BaseURL         string       `json:"base_url"`
	ClientID        string       `json:"client_id"`
	APIKey          sdk.Secret   `json:"api_key"`
	WebhookSecrets  []sdk.Secret `json:"webhook_secrets"`
	Tolerance       int64        `json:"webhook_tolerance_seconds"`
	APIVersion      string       `json:"api_version"`
	OSType          string       `json:"os_type"`
	AppFlow         string       `json:"app_flow"`
	DescriptorBytes int          `json:"descriptor_bytes"`
	Codes           codes        `json:"codes"`

	base *url.URL // BaseURL, parsed
}

// codes says what the acquirer's codes mean.
type codes struct {
	Refused  []string `json:"refused"`
	NotFound []string `json:"not_found"`
}

// Format prints no more than which account it is.
func (c config) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "airwallex.config{%s %s}", c.BaseURL, c.ClientID)
}

// readConfig decodes the config and checks it. It repeats what the schema says
// where the opposite would be dangerous, such as an empty secret.
func readConfig(from sdk.Config) (config, error) {
	c := config{Tolerance: defaultTolerance}
	if err := from.Decode(&c); err != nil {
		return config{}, err
	}
	c.APIVersion = cmp.Or(c.APIVersion, defaultAPIVersion)
	c.AppFlow = cmp.Or(c.AppFlow, defaultAppFlow)
	base, err := acquirer.ParseBaseURL("/base_url", c.BaseURL)
	if err != nil {
		return config{}, err
	}
	c.base = base
	for _, check := range []func(config) error{checkCredentials, checkCodes, checkWords} {
		if err := check(c); err != nil {
			return config{}, err
		}
	}
	return c, nil
}

func checkCredentials(c config) error {
	if err := checkText("/client_id", c.ClientID); err != nil {
		return err
	}
	if err := checkText("/api_key", c.APIKey.Reveal()); err != nil {
		return err
	}
	if len(c.WebhookSecrets) == 0 {
		return sdk.ConfigError("/webhook_secrets", "must hold at least one secret")
	}
	for i, secret := range c.WebhookSecrets {
		// An empty secret would let anyone sign.
		if err := checkText(fmt.Sprintf("/webhook_secrets/%d", i), secret.Reveal()); err != nil {
			return err
		}
	}
	return nil
}

// checkText takes what can stand in a header and was not spoilt on its way.
func checkText(pointer, value string) error {
	switch {
	case value == "":
		return sdk.ConfigError(pointer, "must not be empty")
	case strings.TrimSpace(value) != value:
		return sdk.ConfigError(pointer, "must not begin or end with white space (does the file end with a newline?)")
	case !printable(value):
		return sdk.ConfigError(pointer, "must be printable ASCII without blanks")
	}
	return nil
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func checkCodes(c config) error {
	for i, code := range c.Codes.NotFound {
		if slices.Contains(c.Codes.Refused, code) {
			return sdk.ConfigError(fmt.Sprintf("/codes/not_found/%d", i), "%q is in refused too; it can mean only one thing", code)
		}
	}
	if slices.Contains(c.Codes.Refused, "") || slices.Contains(c.Codes.NotFound, "") {
		return sdk.ConfigError("/codes", "a code must not be empty: an answer without one would have it")
	}
	return nil
}

var (
	versionGrammar = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
	wordGrammar    = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
)

func checkWords(c config) error {
	switch {
	case c.Tolerance < 1 || c.Tolerance > longestTolerance:
		return sdk.ConfigError("/webhook_tolerance_seconds", "must be 1 to %d", longestTolerance)
	case !versionGrammar.MatchString(c.APIVersion):
		return sdk.ConfigError("/api_version", "must be a date such as %s", defaultAPIVersion)
	case c.OSType != "" && c.OSType != "android" && c.OSType != "ios":
		return sdk.ConfigError("/os_type", "must be android or ios")
	case !wordGrammar.MatchString(c.AppFlow):
		return sdk.ConfigError("/app_flow", "must be 1 to 32 of a-z, 0-9 and _, beginning with a letter")
	case c.DescriptorBytes < 0 || c.DescriptorBytes > 255:
		return sdk.ConfigError("/descriptor_bytes", "must be 0 to 255")
	}
	return nil
}

func (c config) tolerance() time.Duration { return time.Duration(c.Tolerance) * time.Second }

// endpoint returns the URL of a path of the API. Its parts are escaped.
func (c config) endpoint(parts ...string) *url.URL {
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return c.base.JoinPath(append([]string{"api", "v1"}, parts...)...)
}
