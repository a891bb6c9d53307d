package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/httpapi"
)

type serveCommand struct {
	LogLevel string `help:"The least that is logged: ${enum}." enum:"trace,debug,info,warn,error" default:"info"`
	LogJSON  bool   `name:"log-json" help:"Log JSON, one object a line."`

	Attach map[string]string `help:"For debuggers: don't start plugin NAME; write the environment to FILE and wait until somebody starts it. See docs/debug.md." placeholder:"NAME=FILE"`
}

// Help says more than the one line of the command.
func (serveCommand) Help() string {
	return "Prints one line on stdout once it serves, and logs on stderr. SIGINT or SIGTERM stops it: running requests " +
		"end first, at most 30 s; a second signal stops at once. Payments that are cut off are asked about at the next start. " +
		"SIGHUP reloads the config as a whole, or says in the log why not."
}

// The times of a stop. Requests end in 10 s unless an acquirer is slow; what
// then still runs belongs to the host, which waits for it too.
const (
	stopTime     = 30 * time.Second
	requestsTime = 15 * time.Second
)

// Run serves until it is told to stop.
func (c serveCommand) Run(a *app) error {
	log := hclog.New(&hclog.LoggerOptions{Name: "paymux", Level: hclog.LevelFromString(c.LogLevel), Output: a.stderr, JSONFormat: c.LogJSON})
	signals, stop := hangups()
	defer stop()
	cfg, err := a.load()
	if err != nil {
		return err
	}
	warnings(cfg, log)
	files, err := c.attached(cfg)
	if err != nil {
		return err
	}
	sockets, err := openListeners(cfg)
	if err != nil {
		return err
	}
	defer sockets.close()
	h, err := host.Open(a.ctx, cfg, host.WithLogger(log), host.WithAttached(files))
	if err != nil {
		if a.ctx.Err() != nil {
			log.Info("stopped while starting")
			return nil
		}
		return err
	}
	return a.serve(cfg, h, sockets, signals, log)
}

// attached are the files of --attach, as seen from where the command was called.
func (c serveCommand) attached(cfg *config.Config) (map[string]string, error) {
	files := map[string]string{}
	for name, file := range c.Attach {
		path, err := filepath.Abs(file)
		if err != nil || file == "" {
			return nil, usageError("--attach %s needs a file, as in --attach %s=%s.env", name, name, name)
		}
		files[name] = path
	}
	if err := host.CheckAttached(cfg, files); err != nil {
		return nil, usageError("--attach: %w", err)
	}
	return files, nil
}

// serve serves an open host, and closes it.
func (a *app) serve(cfg *config.Config, h *host.Host, sockets listeners, hangups <-chan os.Signal, log hclog.Logger) error {
	var s servers
	var f reloadable
	f.set(httpapi.New(h, httpapi.Options{Keys: cfg.APIKeys, Logger: log}))
	s.start(sockets.api, httpapi.NewServer(&f, log))
	admin := ""
	if sockets.admin != nil {
		s.start(sockets.admin, httpapi.NewServer(httpapi.Admin(h), log))
		admin = " (admin " + urlOf(sockets.admin) + ")"
	}
	a.printf("paymux: listening on %s%s\n", urlOf(sockets.api), admin)
	var reloads sync.WaitGroup
	ended := make(chan struct{})
	reloads.Go(func() {
		for {
			select {
			case <-ended:
				return
			case <-hangups:
				a.reload(h, &f, log)
			}
		}
	})
	var broken error
	select {
	case <-a.ctx.Done():
		log.Info("stopping: requests that run may end", "at_most", stopTime)
	case broken = <-s.broken():
		log.Error("a server ended; stopping", "error", broken)
	}
	close(ended)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), stopTime)
	defer cancel()
	err := errors.Join(broken, s.stop(ctx), h.Close(ctx))
	reloads.Wait()
	if err == nil {
		log.Info("stopped")
	}
	return err
}

// warnings says what is doubtful about a config that works. What the host finds
// out by itself it logs itself.
func warnings(cfg *config.Config, log hclog.Logger) {
	for _, w := range cfg.Warnings() {
		log.Warn(w.Error())
	}
	if len(cfg.APIKeys) == 0 {
		log.Warn(cfg.At("api_keys", "there is none: every call of the API is refused, only notifications are taken; add a key for each merchant").Error())
	}
}

// hangups are the SIGHUPs, by which operators have a daemon reload its config.
// One that comes while another is dealt with waits; further ones are the same.
func hangups() (signals chan os.Signal, stop func()) {
	signals = make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	return signals, func() { signal.Stop(signals) }
}

// reloadable serves the API as the config in force has it.
type reloadable struct{ api atomic.Pointer[http.Handler] }

func (f *reloadable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*f.api.Load()).ServeHTTP(w, r)
}

func (f *reloadable) set(api http.Handler) { f.api.Store(&api) }

// reload takes up a changed config as a whole, or says why not.
func (a *app) reload(h *host.Host, f *reloadable, log hclog.Logger) {
	cfg, err := a.load()
	if err == nil {
		err = h.Reload(a.ctx, cfg)
	}
	if err != nil {
		log.Error("the config was not reloaded; nothing was changed", "config", a.configPath, "error", err)
		return
	}
	warnings(cfg, log)
	f.set(httpapi.New(h, httpapi.Options{Keys: cfg.APIKeys, Logger: log}))
	log.Info("the config was reloaded", "config", a.configPath)
}

// servers are the running HTTP servers.
type servers struct {
	all   []*http.Server
	ended chan error
}

func (s *servers) start(l net.Listener, server *http.Server) {
	if s.ended == nil {
		s.ended = make(chan error, 2)
	}
	s.all = append(s.all, server)
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.ended <- fmt.Errorf("serve %s: %w", l.Addr(), err)
		}
	}()
}

// broken gives the error of a server that ended without being told to.
func (s *servers) broken() <-chan error { return s.ended }

// stop takes no more requests and lets those that run end, for a while.
func (s *servers) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestsTime)
	defer cancel()
	errs := make([]error, len(s.all))
	var all sync.WaitGroup
	for i, server := range s.all {
		all.Go(func() {
			if err := server.Shutdown(ctx); err != nil {
				errs[i] = errors.Join(fmt.Errorf("requests were still running after %s and were cut off", requestsTime), server.Close())
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
