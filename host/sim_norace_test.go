//go:build !race

package host

// simDefault is how many seeds go test runs.
const simDefault = 300
