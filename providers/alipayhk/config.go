package alipayhk

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	unitMajor = "major"
	unitMinor = "minor"
)

// config is one account's configuration, as schema.json describes it.
type config struct {
	BaseURL      string       `json:"base_url"`
	UID          string       `json:"uid"`
	ClientSecret sdk.Secret   `json:"client_secret"`
	WebhookKeys  []sdk.Secret `json:"webhook_keys"`
	AmountUnit   string       `json:"amount_unit"`
	Codes        codes        `json:"codes"`
	OptionsKey   string       `json:"options_key"`

	base *url.URL // BaseURL, parsed
}

// codes says what the acquirer's undocumented codes mean.
type codes struct {
	Refused  []int64 `json:"refused"`
	NotFound []int64 `json:"not_found"`
}

// Format prints no more than which account it is.
func (c config) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "alipayhk.config{%s %s}", c.BaseURL, c.UID)
}

// readConfig decodes the config and checks it. It repeats what the schema says
// where the opposite would be dangerous, such as an empty key.
func readConfig(from sdk.Config) (config, error) {
	var c config
	if err := from.Decode(&c); err != nil {
		return config{}, err
	}
	c.AmountUnit = cmp.Or(c.AmountUnit, unitMajor)
	c.OptionsKey = cmp.Or(c.OptionsKey, "alipayhk")
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
	if err := checkText("/uid", c.UID); err != nil {
		return err
	}
	if err := checkText("/client_secret", c.ClientSecret.Reveal()); err != nil {
		return err
	}
	if len(c.WebhookKeys) == 0 {
		return sdk.ConfigError("/webhook_keys", "must hold at least one key")
	}
	for i, key := range c.WebhookKeys {
		// An empty key would let anyone sign.
		if err := checkText(fmt.Sprintf("/webhook_keys/%d", i), key.Reveal()); err != nil {
			return err
		}
	}
	return nil
}

func checkText(pointer, value string) error {
	if value == "" {
		return sdk.ConfigError(pointer, "must not be empty")
	}
	if strings.TrimSpace(value) != value {
		return sdk.ConfigError(pointer, "must not begin or end with white space (does the file end with a newline?)")
	}
	return nil
}

func checkCodes(c config) error {
	if slices.Contains(c.Codes.Refused, 0) || slices.Contains(c.Codes.NotFound, 0) {
		return sdk.ConfigError("/codes", "0 is the acquirer's code for success")
	}
	for i, code := range c.Codes.NotFound {
		if slices.Contains(c.Codes.Refused, code) {
			return sdk.ConfigError(fmt.Sprintf("/codes/not_found/%d", i), "%d is in refused too; it can mean only one thing", code)
		}
	}
	return nil
}

func checkWords(c config) error {
	if c.AmountUnit != unitMajor && c.AmountUnit != unitMinor {
		return sdk.ConfigError("/amount_unit", "must be major or minor")
	}
	if c.OptionsKey == "type" {
		return sdk.ConfigError("/options_key", "type is the name of another member")
	}
	return nil
}

// endpoint returns the URL of a path of the API.
func (c config) endpoint(path string) *url.URL { return c.base.JoinPath(path) }
