package main

import "syscall"

// childAttributes put a child into a process group of its own, so that Ctrl-C
// reaches the program only, and end it with the program, whatever ends that.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
