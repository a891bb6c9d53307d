// Package chaos holds tests that kill, freeze and starve the real binaries in
// the middle of payments and then compare three books: what the acquirer was
// asked and paid, what the store says, and what the shop was told. See
// docs/chaos.md.
package chaos
