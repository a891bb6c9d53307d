// Command paymux-provider-example is a complete provider, to read and to copy:
// for Acme, an acquirer that doesn't exist. docs/write-a-provider.md walks
// through it, and `paymux plugins new` makes a copy for another acquirer.
//
// Each comment that begins with "Fact:" states what Acme documents. Those are
// the places that differ from acquirer to acquirer.
//
//	plugin.go        what the plugin is and can do
//	config.go        one account's config, with schema.json
//	provider.go      the four methods, and the only place that uses the network
//	create.go        the request that starts a payment
//	payment.go       what Acme says of a payment
//	problem.go       what Acme's errors mean
//	notification.go  whose notifications are believed
//	sandbox/         Acme in memory, for tests
package main

import "github.com/paymux/paymux/sdk/plugin"

func main() { plugin.Serve(newPlugin()) }
