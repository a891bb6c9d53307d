// Command paymux-provider-alipayhk is the alipayhk adapter as a plugin's
// process. A paymux host starts it; by hand it does nothing.
package main

import (
	"github.com/paymux/paymux/providers/alipayhk"
	"github.com/paymux/paymux/sdk/plugin"
)

func main() { plugin.Serve(alipayhk.Plugin()) }
