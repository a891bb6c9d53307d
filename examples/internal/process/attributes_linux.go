package process

import "syscall"

// attributes put a child into a process group of its own, so that Ctrl-C reaches
// the example only, and end it with the example, whatever ends that.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
