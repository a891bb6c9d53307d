//go:build !unix

package providertest

// hold can't keep a port here.
func hold(string) (release func(), ok bool) { return func() {}, true }
