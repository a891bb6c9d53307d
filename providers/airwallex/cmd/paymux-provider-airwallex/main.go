// Command paymux-provider-airwallex is the airwallex adapter as a plugin's
// process. A paymux host starts it; by hand it does nothing.
package main

import (
	"github.com/paymux/paymux/providers/airwallex"
	"github.com/paymux/paymux/sdk/plugin"
)

func main() { plugin.Serve(airwallex.Plugin()) }
