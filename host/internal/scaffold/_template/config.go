package main

import (
	"fmt"
	"net/url"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// config is one account at Acme, as schema.json describes it. What is marked
// writeOnly there is an sdk.Secret here, which never prints.
type config struct {
	BaseURL          string       `json:"base_url"`
	Account          string       `json:"account"`
	APIKey           sdk.Secret   `json:"api_key"`
	NotificationKeys []sdk.Secret `json:"notification_keys"`

	base *url.URL // BaseURL, parsed
}

// readConfig decodes a config that the schema allows, and repeats what would be
// dangerous to get wrong.
func readConfig(from sdk.Config) (config, error) {
	var c config
	if err := from.Decode(&c); err != nil {
		return config{}, err
	}
	base, err := acquirer.ParseBaseURL("/base_url", c.BaseURL)
	if err != nil {
		return config{}, err
	}
	c.base = base
	if !printable(c.APIKey.Reveal()) {
		return config{}, sdk.ConfigError("/api_key", "must be printable ASCII without blanks (does the file end with a newline?)")
	}
	if len(c.NotificationKeys) == 0 {
		return config{}, sdk.ConfigError("/notification_keys", "must hold at least one key")
	}
	for i, key := range c.NotificationKeys {
		if !printable(key.Reveal()) { // with an empty key anyone could sign
			return config{}, sdk.ConfigError(fmt.Sprintf("/notification_keys/%d", i), "must be printable ASCII without blanks")
		}
	}
	return c, nil
}

func printable(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return s != ""
}

// Format prints no more than which account it is.
func (c config) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "config{%s %s}", c.BaseURL, c.Account)
}
