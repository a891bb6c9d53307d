//go:build !failpoint

// Package failpoint marks the places at which the chaos tests kill the host.
// Without the build tag "failpoint" a mark compiles to nothing.
package failpoint

// Hit marks a place.
func Hit(string) {}
