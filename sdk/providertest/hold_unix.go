//go:build unix

package providertest

import (
	"errors"
	"net/netip"
	"syscall"
)

// hold keeps a port that has just been closed: nobody listens there, and whoever
// asks for any free port gets another. It is false if somebody has it already.
func hold(address string) (release func(), ok bool) {
	none := func() {}
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return none, true
	}
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return none, true
	}
	// Connections that end still have the port.
	err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()})
	}
	if err != nil {
		_ = syscall.Close(fd)
		return none, !errors.Is(err, syscall.EADDRINUSE)
	}
	return func() { _ = syscall.Close(fd) }, true
}
