// Command shop is a small merchant's shop that takes AlipayHK and Alipay
// payments through the paymux HTTP API. It is written to be copied from.
//
// Where to read:
//
//   - paymux.go is the whole API client: four calls.
//   - pay.go starts a payment and knows what each answer means.
//   - outcome.go decides what a shopper may be told, from the host's answers only.
//   - orders.go remembers an attempt before the host hears of it.
//
// Four rules carry the shop:
//
//  1. An attempt is written down before paymux is called, and an answer that
//     got lost is asked for again under the same id.
//  2. "Paid" is said only when the host says SUCCEEDED with the order's amount
//     and currency. A shopper who comes back to the return page proves nothing.
//  3. No new attempt starts while an earlier one is paid, or could be without
//     the shopper having been told.
//  4. Nothing is called failed because nobody answered.
//
// The shop sets no cookies: an order's unguessable address is what opens it, so
// a wallet may bring the shopper back in another browser.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

// options are what the command line and the environment say.
type options struct {
	listen    string
	paymux    string
	publicURL string
	data      string
	apiKey    string
}

// parseOptions reads flags, and the API key from the environment only: an
// argument is visible to every user of the machine.
func parseOptions(args []string, getenv func(string) string, stderr io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("shop", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.listen, "listen", "127.0.0.1:8070", "`address` to serve shoppers on")
	fs.StringVar(&o.paymux, "paymux", "http://127.0.0.1:8080", "base `URL` of the paymux API")
	fs.StringVar(&o.publicURL, "public-url", "", "`URL` at which shoppers reach the shop (default: the listen address)")
	fs.StringVar(&o.data, "data", "", "`file` to keep orders in, as JSON lines (default: in memory)")
	fs.Usage = func() {
		fmt.Fprintln(stderr, "Usage: PAYMUX_API_KEY=… shop [flags]")
		fs.PrintDefaults()
	}
	if err := fs.Parse(args); err != nil {
		return options{}, err
	}
	if fs.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if o.apiKey = getenv("PAYMUX_API_KEY"); o.apiKey == "" {
		return options{}, errors.New("PAYMUX_API_KEY is not set: export the key that paymux's api_keys lists for this merchant")
	}
	return o, nil
}

// run serves the shop until ctx ends.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	o, err := parseOptions(args, getenv, stderr)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	client, err := NewClient(o.paymux, o.apiKey)
	if err != nil {
		return err
	}
	journal, err := OpenJournal(o.data)
	if err != nil {
		return err
	}
	defer journal.Close()

	ln, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	public, err := publicURL(o.publicURL, ln.Addr())
	if err != nil {
		ln.Close()
		return err
	}
	shop, err := newServer(client, journal, public, log)
	if err != nil {
		ln.Close()
		return err
	}
	fmt.Fprintf(stdout, "shop: listening on %s\n", public)
	return serve(ctx, ln, shop.handler())
}

// publicURL is where shoppers reach the shop; by default the listen address,
// with a loopback name in place of "any address".
func publicURL(given string, addr net.Addr) (*url.URL, error) {
	if given != "" {
		return baseURL("-public-url", given)
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return &url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}, nil
}

// serve answers requests until ctx ends, then lets running ones finish: a
// shopper in the middle of paying should still be sent to the wallet.
func serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      payTimeout + 15*time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), payTimeout+5*time.Second)
	defer cancel()
	return srv.Shutdown(grace)
}
