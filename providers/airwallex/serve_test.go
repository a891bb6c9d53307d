package airwallex_test

import (
	"testing"

	"github.com/paymux/paymux/providers/airwallex"
	"github.com/paymux/paymux/sdk/plugin"
)

func TestPluginCanBeServed(t *testing.T) {
	if _, err := plugin.NewServer(airwallex.Plugin()); err != nil {
		t.Error(err)
	}
}
