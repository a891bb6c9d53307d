package antomtest_test

import (
	"fmt"

	"github.com/paymux/paymux/providers/antom/antomtest"
)

func ExampleServer_Inject() {
	srv := antomtest.New(antomtest.Options{})
	defer srv.Close()
	// The next pay is recorded, and its answer is lost.
	srv.Inject(antomtest.Fault{Kind: antomtest.KindCloseAfter, Op: antomtest.OpPay, Times: 1})
	fmt.Println(srv.ClearFaults())
	// Output: 1
}
