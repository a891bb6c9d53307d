// Command paymux-provider-stripe is the stripe adapter as a plugin's process. A
// paymux host starts it; by hand it does nothing.
package main

import (
	"github.com/paymux/paymux/providers/stripe"
	"github.com/paymux/paymux/sdk/plugin"
)

func main() { plugin.Serve(stripe.Plugin()) }
