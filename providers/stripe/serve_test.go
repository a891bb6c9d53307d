package stripe_test

import (
	"testing"

	"github.com/paymux/paymux/providers/stripe"
	"github.com/paymux/paymux/sdk/plugin"
)

func TestPluginCanBeServed(t *testing.T) {
	if _, err := plugin.NewServer(stripe.Plugin()); err != nil {
		t.Error(err)
	}
}
