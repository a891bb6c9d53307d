// Package e2e holds tests that run the real binaries: paymux serve, a plugin
// process and a sandbox acquirer, which are killed in the middle of payments.
package e2e
