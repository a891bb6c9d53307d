package sdk

import "context"

// Plugin is all that a plugin's author hands to
// [github.com/paymux/paymux/sdk/plugin.Serve].
type Plugin struct {
	Info Info
	// ConfigSchema is a JSON Schema (2020-12) of one instance's config: an
	// object with "additionalProperties": false. Two marks have a meaning here:
	//
	//	"writeOnly": true           a secret: redacted wherever it might show
	//	"x-paymux-account": true    part of what names the account at the acquirer
	//
	// The account is stored with each payment for life; a config change that
	// moves it is refused while payments are open. At least one property has
	// to be marked. Of a property with "format": "uri" only the host counts.
	ConfigSchema string
	Capabilities Capabilities
	// Open makes a provider from a config that the schema allows. It must not
	// use the network: credentials are proved by Authorize. Return a
	// [ConfigError] for what the schema can't say.
	Open func(ctx context.Context, config Config) (Provider, error)
}

// Info says what a plugin is.
type Info struct {
	Name     string // as in the binary's name, paymux-provider-NAME: [a-z][a-z0-9-]{0,31}
	Version  string // semantic version
	Acquirer string // the company, for people
	DocsURL  string // where its documentation is; may be empty
}
