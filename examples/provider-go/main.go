// Command paymux-provider-example takes payments through Acme, as a plugin of
// paymux. A host starts it; by hand it does nothing.
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
