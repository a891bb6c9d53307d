//go:build !linux

package process

import "syscall"

// attributes put a child into a process group of its own, so that Ctrl-C reaches
// the example only.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
