package antom_test

import (
	"testing"

	"github.com/paymux/paymux/providers/antom"
	"github.com/paymux/paymux/sdk/plugin"
)

func TestPluginCanBeServed(t *testing.T) {
	if _, err := plugin.NewServer(antom.Plugin()); err != nil {
		t.Error(err)
	}
}
