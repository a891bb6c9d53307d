// Command sandbox is a CBTIS acquirer without money, for demos and development:
// package cbtistest, running on its own.
//
//	SANDBOX_CLIENT_SECRET=… SANDBOX_WEBHOOK_KEY=… sandbox -listen 127.0.0.1:8090
//
// Both variables have published defaults, fit for a sandbox only. Whoever
// reaches the port can pay any order and flip any fault switch, so it listens on
// loopback unless told otherwise.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		os.Exit(1)
	}
}

// settings are what the flags say.
type settings struct {
	listen  string
	options cbtistest.Options
}

func parse(args []string, getenv func(string) string, stderr io.Writer) (settings, error) {
	var c settings
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "Usage: sandbox [flags]\n\nA CBTIS acquirer without money. Secrets come from the environment:\n"+
			"SANDBOX_CLIENT_SECRET and SANDBOX_WEBHOOK_KEY. The page at / lists orders; how to\n"+
			"make it misbehave is in docs/providers/alipayhk.md.")
		flags.PrintDefaults()
	}
	flags.StringVar(&c.listen, "listen", "127.0.0.1:8090", "`address` to listen on; port 0 takes a free one")
	flags.StringVar(&c.options.BaseURL, "public-url", "", "public `URL` that wallet links start with (default http:// and the address listened on)")
	flags.StringVar(&c.options.UID, "uid", cbtistest.DefaultUID, "merchant `number` that clients sign in with")
	flags.Float64Var(&c.options.SpeedUp, "speedup", 1, "divide the retry intervals of notifications by this `factor`")
	flags.StringVar(&c.options.StateFile, "state", "", "`file` that keeps orders over restarts (default none)")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if c.options.SpeedUp <= 0 {
		return c, errors.New("-speedup must be above zero")
	}
	c.options.ClientSecret = getenv("SANDBOX_CLIENT_SECRET")
	c.options.WebhookKey = getenv("SANDBOX_WEBHOOK_KEY")
	c.options.Logger = slog.New(slog.NewTextHandler(stderr, nil))
	return c, nil
}

// run serves until ctx ends, then stops gracefully.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	c, err := parse(args, getenv, stderr)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.listen)
	if err != nil {
		return err
	}
	address := "http://" + reachable(l.Addr())
	c.options.BaseURL = cmp.Or(c.options.BaseURL, address)
	srv, err := cbtistest.New(c.options)
	if err != nil {
		l.Close()
		return err
	}
	defer srv.Close()
	server := &http.Server{
		Handler:           handler(srv),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(c.options.Logger.Handler(), slog.LevelWarn),
	}
	fmt.Fprintf(stdout, "sandbox acquirer listening on %s\n", address)
	return serve(ctx, server, l, c.options.Logger)
}

func serve(ctx context.Context, server *http.Server, l net.Listener, log *slog.Logger) error {
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping")
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		server.Close()
	}
	<-ended
	return nil
}

// reachable is the address a browser on this machine can use.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return a.String()
}
