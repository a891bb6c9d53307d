package stripe

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	modeLive = "live"
	modeTest = "test"

	defaultBaseURL    = "https://api.stripe.com"
	defaultAPIVersion = "2026-08-26.dahlia"
	defaultTolerance  = 300 // seconds, the acquirer's own
)

// config is one account's configuration, as schema.json describes it.
type config struct {
	AccountID        string       `json:"account_id"`
	Mode             string       `json:"mode"`
	SecretKey        sdk.Secret   `json:"secret_key"`
	WebhookSecrets   []sdk.Secret `json:"webhook_secrets"`
	WebhookTolerance int64        `json:"webhook_tolerance"`
	BaseURL          string       `json:"base_url"`
	APIVersion       string       `json:"api_version"`
	Currencies       []string     `json:"currencies"`
	ReturnURL        string       `json:"return_url"`

	base *url.URL // BaseURL, parsed
}

// Format prints no more than which account it is.
func (c config) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "stripe.config{%s %s %s}", c.BaseURL, c.AccountID, c.Mode)
}

// readConfig decodes the config and checks it. It repeats what the schema says
// where the opposite would be dangerous, such as an empty key.
func readConfig(from sdk.Config) (config, error) {
	var c config
	if err := from.Decode(&c); err != nil {
		return config{}, err
	}
	c.BaseURL = cmp.Or(c.BaseURL, defaultBaseURL)
	c.APIVersion = cmp.Or(c.APIVersion, defaultAPIVersion)
	c.WebhookTolerance = cmp.Or(c.WebhookTolerance, defaultTolerance)
	if len(c.Currencies) == 0 {
		c.Currencies = currencies
	}
	base, err := acquirer.ParseBaseURL("/base_url", c.BaseURL)
	if err != nil {
		return config{}, err
	}
	c.base = base
	for _, check := range []func(config) error{checkAccount, checkSecrets, checkRest} {
		if err := check(c); err != nil {
			return config{}, err
		}
	}
	return c, nil
}

func checkAccount(c config) error {
	if err := checkText("/account_id", c.AccountID); err != nil {
		return err
	}
	if c.Mode != modeLive && c.Mode != modeTest {
		return sdk.ConfigError("/mode", "must be live or test")
	}
	if err := checkText("/secret_key", c.SecretKey.Reveal()); err != nil {
		return err
	}
	// A key says its mode: sk_test_…, sk_live_….
	other := map[string]string{modeLive: "_test_", modeTest: "_live_"}[c.Mode]
	if strings.Contains(c.SecretKey.Reveal(), other) {
		return sdk.ConfigError("/secret_key", "is of the other mode than mode: %s", c.Mode)
	}
	return nil
}

func checkSecrets(c config) error {
	if len(c.WebhookSecrets) == 0 {
		return sdk.ConfigError("/webhook_secrets", "must hold at least one secret")
	}
	for i, secret := range c.WebhookSecrets {
		// An empty secret would let anyone sign.
		if err := checkText(fmt.Sprintf("/webhook_secrets/%d", i), secret.Reveal()); err != nil {
			return err
		}
	}
	if c.WebhookTolerance < 1 || c.WebhookTolerance > 86400 {
		return sdk.ConfigError("/webhook_tolerance", "must be 1 to 86400 seconds")
	}
	return nil
}

func checkRest(c config) error {
	if err := checkText("/api_version", c.APIVersion); err != nil {
		return err
	}
	for i, currency := range c.Currencies {
		if !slices.Contains(currencies, currency) {
			return sdk.ConfigError(fmt.Sprintf("/currencies/%d", i), "must be one of %s", strings.Join(currencies, " "))
		}
	}
	if c.ReturnURL != "" && !acquirer.WebLink(c.ReturnURL) {
		return sdk.ConfigError("/return_url", "must be an absolute URL, such as https://shop.example.com/thanks")
	}
	return nil
}

// checkText checks what goes into a header or a key: visible ASCII.
func checkText(pointer, value string) error {
	if value == "" {
		return sdk.ConfigError(pointer, "must not be empty")
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return sdk.ConfigError(pointer, "must be visible ASCII without blanks (does the file end with a newline?)")
	}
	return nil
}

// endpoint returns the URL of a path of the API.
func (c config) endpoint(path ...string) *url.URL { return c.base.JoinPath(path...) }

func (c config) live() bool { return c.Mode == modeLive }

func (c config) tolerance() time.Duration { return time.Duration(c.WebhookTolerance) * time.Second }
