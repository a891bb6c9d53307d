// Command paymux-provider-antom is the antom adapter as a plugin's process. A
// paymux host starts it; by hand it does nothing.
package main

import (
	"github.com/paymux/paymux/providers/antom"
	"github.com/paymux/paymux/sdk/plugin"
)

func main() { plugin.Serve(antom.Plugin()) }
