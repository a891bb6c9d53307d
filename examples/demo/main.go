// Command demo shows a payment on its whole way: it starts a sandbox acquirer,
// paymux with the alipayhk plugin, and a shop; buys something as a phone's
// browser would; prints what happens to the payment; and then keeps serving, so
// that you can shop yourself.
//
//	demo [-once] [-bin bin] [-dir .demo]
//
// It needs the binaries that make build makes. Everything listens on loopback,
// and everything that it started ends with it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/paymux/paymux/examples/internal/process"
)

func main() { process.Main("demo", run) }

// paymentTime is how long the payment may take.
const paymentTime = time.Minute

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	once := flags.Bool("once", false, "end after the payment; succeed only if it did")
	bin := flags.String("bin", "bin", "`folder` with the binaries")
	dir := flags.String("dir", ".demo", "`folder` for the config, the store and the logs")
	flags.Usage = func() {
		fmt.Fprintln(stderr, "Usage: demo [flags]\n\nTakes a payment through a sandbox acquirer, paymux and a shop, and keeps them\nserving until Ctrl-C.")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	out := newNarrator(stdout)
	s, err := prepare(*bin, *dir, out)
	if err != nil {
		return err
	}
	defer s.unlock()
	family := s.children()
	defer stopAll(family)
	for _, c := range family {
		if err := c.start(ctx); err != nil {
			return err
		}
		out.printf("  %-8s %s   (log %s)\n", c.name, c.URL, c.logPath)
	}
	if err := buy(ctx, s, out); err != nil {
		if ctx.Err() != nil {
			return errors.New("stopped before the payment had ended")
		}
		return fmt.Errorf("%w%s\nThe logs are in %s", err, obituaries(family), filepath.Join(*dir, "*.log"))
	}
	if *once {
		return nil
	}
	s.farewell(out, family)
	watch(ctx, family, out)
	out.printf("\nstopping\n")
	return nil
}

// buy takes one payment and tells about it. The shopper and whoever follows the
// payment stop together: the first reason is the one that helps.
func buy(ctx context.Context, s *settings, out *narrator) error {
	ctx, cancel := context.WithTimeout(ctx, paymentTime)
	defer cancel()
	before, err := newestPayment(ctx, s)
	if err != nil {
		return err
	}
	out.printf("\nA shopper buys tea with AlipayHK. What they do is on the left, what happens to the payment on the right.\n\n")
	out.begin()
	ended := make(chan error, 2)
	go func() { ended <- follow(ctx, s, out, before) }()
	go func() { ended <- newShopper(s, out).buy(ctx) }()
	for range 2 {
		if e := <-ended; e != nil && err == nil {
			err = e
			cancel()
		}
	}
	if err == nil {
		out.printf("\nThe payment is SUCCEEDED.\n")
	}
	return err
}
