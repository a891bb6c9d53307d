//go:build !linux

package pgtest

import "syscall"

// Elsewhere there is no parent-death signal: only Main ends the server.
func attributes(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as}
}
