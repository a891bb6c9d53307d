package antom

import (
	"cmp"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	livePath    = "/ams/api/v1"
	sandboxPath = "/ams/sandbox/api/v1"

	sandboxPrefix = "SANDBOX_" // of client ids

	storeWallet  = "wallet"
	storeConnect = "connect_wallet"

	// defaultMaxAge covers the acquirer's retries, the last of which comes 24 h
	// 22 min after the first: whether each has a new time is not documented.
	defaultMaxAge = 48 * time.Hour
)

// config is one account's configuration, as schema.json describes it.
type config struct {
	BaseURL         string          `json:"base_url"`
	ClientID        string          `json:"client_id"`
	PrivateKey      sdk.Secret      `json:"private_key"`
	KeyVersion      string          `json:"key_version"`
	AntomPublicKeys []sdk.Secret    `json:"antom_public_keys"`
	APIPath         string          `json:"api_path"`
	Codes           codes           `json:"codes"`
	Currencies      []string        `json:"currencies"`
	Settlement      string          `json:"settlement_currency"`
	ReturnURL       string          `json:"return_url"`
	OSType          string          `json:"os_type"`
	StoreMethod     string          `json:"store_payment_method"`
	OrderMerchant   json.RawMessage `json:"order_merchant"`
	NotifyPath      string          `json:"notification_path"`
	MaxAgeSeconds   int64           `json:"notification_max_age_seconds"`

	base       *url.URL // BaseURL, parsed
	key        *rsa.PrivateKey
	publicKeys []*rsa.PublicKey
	maxAge     time.Duration
}

// codes says what the acquirer's result codes mean.
type codes struct {
	NotFound    []string `json:"not_found"`
	Refused     []string `json:"refused"`
	Unsure      []string `json:"unsure"`
	Credentials []string `json:"credentials"`
}

// Format prints no more than which account it is.
func (c config) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "antom.config{%s %s}", c.BaseURL, c.ClientID)
}

// readConfig decodes the config and checks it. It repeats what the schema says
// where the opposite would be dangerous.
func readConfig(from sdk.Config) (config, error) {
	var c config
	if err := from.Decode(&c); err != nil {
		return config{}, err
	}
	c.KeyVersion = cmp.Or(c.KeyVersion, "1")
	c.StoreMethod = cmp.Or(c.StoreMethod, storeWallet)
	if c.APIPath == "" {
		c.APIPath = livePath
		if c.sandbox() {
			c.APIPath = sandboxPath
		}
	}
	c.maxAge = cmp.Or(time.Duration(c.MaxAgeSeconds)*time.Second, defaultMaxAge)
	base, err := acquirer.ParseBaseURL("/base_url", c.BaseURL)
	if err != nil {
		return config{}, err
	}
	c.base = base
	for _, check := range []func(*config) error{checkWords, checkCodes, checkMerchant, readKeys} {
		if err := check(&c); err != nil {
			return config{}, err
		}
	}
	return c, nil
}

func checkWords(c *config) error {
	// Both go into headers and into what is signed.
	for _, text := range [][2]string{{"/client_id", c.ClientID}, {"/key_version", c.KeyVersion}} {
		if text[1] == "" || strings.ContainsFunc(text[1], func(r rune) bool { return r <= ' ' || r > '~' || r == ',' }) {
			return sdk.ConfigError(text[0], "must be printable ASCII without blanks and commas")
		}
	}
	switch {
	case c.APIPath != livePath && c.APIPath != sandboxPath:
		return sdk.ConfigError("/api_path", "must be %s or %s", livePath, sandboxPath)
	case c.APIPath == sandboxPath && !c.sandbox():
		return sdk.ConfigError("/api_path", "a client_id that doesn't begin with %s is live: it can't use the sandbox's path", sandboxPrefix)
	case c.StoreMethod != storeWallet && c.StoreMethod != storeConnect:
		return sdk.ConfigError("/store_payment_method", "must be %s or %s", storeWallet, storeConnect)
	case c.maxAge < skew:
		return sdk.ConfigError("/notification_max_age_seconds", "must be at least %d", int(skew.Seconds()))
	case c.NotifyPath != "" && !strings.HasPrefix(c.NotifyPath, "/"):
		return sdk.ConfigError("/notification_path", "must begin with /")
	}
	return nil
}

// checkCodes sees that no code means two things.
func checkCodes(c *config) error {
	seen := map[string]string{}
	for _, list := range []struct {
		pointer string
		codes   []string
	}{
		{"/codes/not_found", c.Codes.NotFound}, {"/codes/refused", c.Codes.Refused},
		{"/codes/unsure", c.Codes.Unsure}, {"/codes/credentials", c.Codes.Credentials},
	} {
		for i, code := range list.codes {
			if other, twice := seen[code]; twice && other != list.pointer {
				return sdk.ConfigError(fmt.Sprintf("%s/%d", list.pointer, i), "%s is in %s too; it can mean only one thing", code, other)
			}
			seen[code] = list.pointer
		}
	}
	return nil
}

func checkMerchant(c *config) error {
	if len(c.OrderMerchant) > 0 && jsontext.Value(c.OrderMerchant).Kind() != '{' {
		return sdk.ConfigError("/order_merchant", "must be an object")
	}
	return nil
}

func readKeys(c *config) error {
	var err error
	if c.key, err = readPrivateKey("/private_key", c.PrivateKey.Reveal()); err != nil {
		return err
	}
	if len(c.AntomPublicKeys) == 0 {
		return sdk.ConfigError("/antom_public_keys", "must hold at least one key")
	}
	for i, text := range c.AntomPublicKeys {
		pointer := fmt.Sprintf("/antom_public_keys/%d", i)
		key, err := readPublicKey(pointer, text.Reveal())
		if err != nil {
			return err
		}
		if key.Equal(&c.key.PublicKey) {
			return sdk.ConfigError(pointer, "is your own public key; the acquirer's is needed")
		}
		c.publicKeys = append(c.publicKeys, key)
	}
	return nil
}

func (c config) sandbox() bool { return strings.HasPrefix(c.ClientID, sandboxPrefix) }

// takes reports whether the account takes a flow. In the acquirer's sandbox
// payments in a store are under another path than the others, and an account
// has one path only, so that each payment is asked for where it was made.
func (c config) takes(flow flowRow) bool {
	return !c.sandbox() || (flow.product == inStoreProduct) == (c.APIPath == livePath)
}

func (c config) takesCurrency(code string) bool {
	return len(c.Currencies) == 0 || slices.Contains(c.Currencies, code)
}

// path returns the path of a call as it is signed.
func (c config) path(to call) string { return c.APIPath + calls[to].path }

// endpoint returns the URL of a call.
func (c config) endpoint(to call) string { return c.base.JoinPath(c.path(to)).String() }
