package config

// place names of the mappings whose keys are fixed. "[]" stands for an index and
// NAME for a name that the operator chooses.
const (
	inFile     = ""
	inPlugins  = "plugins"
	inAPIKey   = "api_keys[]"
	inProvider = "providers.NAME"
	inRoute    = "routes[]"
	inAmount   = "routes[].amount"
	inEvent    = "events[]"
)

// keys is every key that the loader accepts, by the mapping it stands in.
var keys = map[string][]string{
	inFile: {"listen", "admin_listen", "public_url", "store", "plugins", "api_keys",
		"return_hosts", "providers", "routes", "events"},
	inPlugins:  {"dir", "lock", "allow_unsealed"},
	inAPIKey:   {"merchant", "key"},
	inProvider: {"plugin", "merchants", "accepting", "process", "config"},
	inRoute:    {"methods", "currencies", "flows", "merchants", "amount", "providers", "weights"},
	inAmount:   {"min", "max"},
	inEvent:    {"url", "secret", "merchant"},
}

// The words of the contract that a route may match.
var (
	methods = []string{"alipay_hk", "alipay_cn"}
	flows   = []string{"mobile_web", "web_qr", "store_qr", "app"}
)
