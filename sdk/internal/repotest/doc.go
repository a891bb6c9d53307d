// Package repotest holds the rules of this repository as tests: which package
// may import which, and how files look. Each rule says why it is there when it
// fails.
package repotest
