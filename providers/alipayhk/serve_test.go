package alipayhk_test

import (
	"testing"

	"github.com/paymux/paymux/providers/alipayhk"
	"github.com/paymux/paymux/sdk/plugin"
)

func TestPluginCanBeServed(t *testing.T) {
	if _, err := plugin.NewServer(alipayhk.Plugin()); err != nil {
		t.Error(err)
	}
}
