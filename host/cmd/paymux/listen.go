package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/paymux/paymux/host/config"
)

// listeners are the open sockets of a host.
type listeners struct {
	api   net.Listener
	admin net.Listener // nil if switched off
}

// openListeners opens both addresses, or none.
func openListeners(cfg *config.Config) (listeners, error) {
	var l listeners
	var err error
	if l.api, err = openListener(cfg, "listen", cfg.Listen); err != nil {
		return l, err
	}
	if cfg.AdminListen == "" {
		return l, nil
	}
	if l.admin, err = openListener(cfg, "admin_listen", cfg.AdminListen); err != nil {
		l.api.Close()
	}
	return l, err
}

// close closes what a server hasn't closed yet.
func (l listeners) close() {
	l.api.Close()
	if l.admin != nil {
		l.admin.Close()
	}
}

func openListener(cfg *config.Config, key, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err == nil {
		return l, nil
	}
	// Not a mistake of the file alone, but the file is where the way out is.
	return nil, &exitError{exitFailed, cfg.At(key, fmt.Sprintf("can't listen on %s: %s", address, listenFault(err)))}
}

// listenFault says what is wrong with an address, and the way out.
func listenFault(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program uses this port, perhaps another paymux; stop that one, or choose another port"
	case errors.Is(err, syscall.EACCES):
		return "this user may not use this port; choose one from 1024, or permit it to the service"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine doesn't have the address; choose one of its own, such as 127.0.0.1"
	}
	return err.Error()
}

// reachable is the address under which programs on this machine reach a
// listener.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}

func urlOf(l net.Listener) string { return "http://" + reachable(l.Addr().String()) }
