//go:build race

package host

// simDefault is how many seeds go test runs: SQLite in Go is slow under the race
// detector.
const simDefault = 30
