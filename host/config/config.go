package config

import (
	"go.yaml.in/yaml/v3"

	"github.com/paymux/paymux/sdk"
)

// Config is one valid paymux.yaml with its defaults filled in. Treat it as
// read-only: a reload makes a new one.
type Config struct {
	// Dir is the directory that relative paths were resolved from.
	Dir string
	// Listen is the host:port of the API and of the acquirers' notifications.
	// Port 0 lets the system choose. Default 127.0.0.1:8080.
	Listen string
	// AdminListen is the host:port of /metrics and /debug, or empty
	// when they are switched off. Default 127.0.0.1:8081.
	AdminListen string
	// PublicURL is the address under which acquirers reach Listen, without a
	// trailing slash. Default: http:// and Listen, if that is a loopback address
	// with a fixed port; else it must be given.
	PublicURL string
	// Store says where payments are kept. Default sqlite:paymux.db.
	Store StoreConfig
	// Plugins says where plugin binaries are and which may run.
	Plugins Plugins
	// APIKeys are the bearer tokens of /v1. Default none.
	APIKeys []APIKey
	// ReturnHosts are the hosts that return_url may name, in lower case.
	// Default nil: any host.
	ReturnHosts []string
	// Providers are the configured accounts in file order: at least one.
	Providers []Provider
	// Routes choose the providers of a payment; the first match wins.
	// Default none: then every payment must name its provider.
	Routes []Route
	// Events are the shops' endpoints for outbound events. Default none.
	Events []Event

	name     string
	root     *yaml.Node
	warnings []Problem
	// A slice of Secret, not of string, so that %+v of a Config prints none.
	secrets []Secret
}

// StoreKind is a database that the host can keep payments in.
type StoreKind string

// The databases.
const (
	StoreSQLite   StoreKind = "sqlite"
	StorePostgres StoreKind = "postgres"
)

// StoreConfig says where payments are kept.
type StoreConfig struct {
	// Kind is the database.
	Kind StoreKind
	// Path is the file of a SQLite database; empty for PostgreSQL.
	Path string
	// DSN is the URL of a PostgreSQL database, which may hold a password; zero
	// for SQLite.
	DSN Secret
}

// Plugins says where plugin binaries are and which may run.
type Plugins struct {
	// Dir holds the binaries paymux-provider-NAME. Default bin/plugins.
	Dir string
	// Lock is the file of permitted digests; it need not exist. Default
	// paymux.lock.
	Lock string
	// AllowUnsealed permits plugins that cannot run from a sealed copy of their
	// bytes, such as scripts. Default false.
	AllowUnsealed bool
}

// APIKey is a bearer token of one merchant.
type APIKey struct {
	// Merchant is whose payments the key reaches.
	Merchant string
	// Key is the token: at least 16 printable ASCII characters, no space.
	Key Secret
}

// Provider is a configured account of a plugin.
type Provider struct {
	// Name is the key in the file; it is part of the notification URL.
	Name string
	// Plugin is the NAME of the binary paymux-provider-NAME.
	Plugin string
	// Merchants are those who may use the provider. Default nil: all.
	Merchants []string
	// Accepting is false for a provider that takes no new payments. Default
	// true.
	Accepting bool
	// Process is [ProcessOwn] for a provider with a plugin process of its own.
	// Default [ProcessShared].
	Process string
	// Config is the plugin's own config: a JSON object with ${…} resolved, keys
	// in file order, numbers as they were written. Default {}.
	Config Secret
}

// The values of [Provider.Process].
const (
	ProcessShared = ""
	ProcessOwn    = "own"
)

// Route sends matching payments to providers.
type Route struct {
	// Methods are the payment methods that match. Default nil: any.
	Methods []string
	// Currencies are the ISO 4217 codes that match. Default nil: any.
	Currencies []string
	// Flows are the flows that match. Default nil: any.
	Flows []string
	// Merchants are those whose payments match. Default nil: all.
	Merchants []string
	// Min and Max bound the amounts that match, both included, in the one
	// currency of Currencies. Default zero: no bound.
	Min, Max sdk.Money
	// Providers are tried in order, the next only when nothing was sent to the
	// one before, or it can't do what is asked: at least one.
	Providers []string
	// Weights are the shares of the providers that are tried first. Default nil:
	// the first of Providers always is.
	Weights map[string]int
}

// Event is an endpoint to which a merchant's events are posted.
type Event struct {
	// URL is where they are posted.
	URL string
	// Secret signs them: whsec_ and 24 to 64 bytes in base64 (Standard Webhooks).
	Secret Secret
	// Merchant is whose events they are.
	Merchant string
}

// Secrets lists every value that came through ${…}, every API key, event secret
// and database password, longest first and each once, so that replacing them in
// that order leaves no part of one behind. Of a value of several lines it also
// lists the long lines, because logs often show one line of it.
func (c *Config) Secrets() []string {
	all := make([]string, len(c.secrets))
	for i, s := range c.secrets {
		all[i] = s.Reveal()
	}
	return all
}

// Warnings are the doubtful places of a valid file, such as a route that no
// payment can reach.
func (c *Config) Warnings() []Problem {
	return append([]Problem(nil), c.warnings...)
}
