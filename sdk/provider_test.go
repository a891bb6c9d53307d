package sdk_test

import (
	"reflect"
	"testing"

	"github.com/paymux/paymux/sdk"
)

// A method more, and no provider out there compiles. What is new is a new
// interface, found by type assertion.
func TestProviderHasFourMethods(t *testing.T) {
	for _, tt := range []struct {
		is   reflect.Type
		want []string
	}{
		{reflect.TypeFor[sdk.Provider](), []string{"Authorize", "Create", "ParseNotification", "Query"}},
		{reflect.TypeFor[sdk.Refunder](), []string{"QueryRefund", "Refund"}},
		{reflect.TypeFor[sdk.Canceller](), []string{"Cancel"}},
	} {
		var got []string
		for m := range tt.is.Methods() {
			got = append(got, m.Name)
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s has %v, want %v", tt.is, got, tt.want)
		}
	}
}
