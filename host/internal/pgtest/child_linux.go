package pgtest

import "syscall"

// attributes of a child: SIGQUIT is PostgreSQL's immediate stop. Its own group
// keeps a Ctrl-C in the terminal from it, so that Main can end it.
func attributes(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as, Setpgid: true, Pdeathsig: syscall.SIGQUIT}
}
