// Command swap changes acquirers under traffic. It starts the sandboxes of four
// acquirers and paymux, has shoppers pay without pause, and meanwhile moves
// AlipayHK and Alipay from acquirer to acquirer by editing paymux's config file
// and sending SIGHUP. In the end it counts, from the acquirers' own ledgers,
// what was lost or charged twice.
//
//	swap [-payments 200] [-shoppers 6] [-bin bin] [-dir folder]
//
// It needs the binaries that make build makes. Everything listens on free ports
// of loopback, and everything that it started ends with it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/paymux/paymux/examples/internal/process"
)

func main() { process.Main("swap", run) }

// options are what the flags say.
type options struct {
	payments, shoppers int
	bin, dir           string
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("swap", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.payments, "payments", 200, "at least `n` payments in each phase")
	flags.IntVar(&o.shoppers, "shoppers", 6, "`n` shoppers pay at the same time")
	flags.StringVar(&o.bin, "bin", "bin", "`folder` with the binaries")
	flags.StringVar(&o.dir, "dir", "", "`folder` for the config, the store and the log (default: one that is removed)")
	flags.Usage = func() {
		fmt.Fprintln(stderr, "Usage: swap [flags]\n\nMoves payments between four sandbox acquirers under load, by edits of paymux's\nconfig, and counts what was lost or charged twice.")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.payments < 1 || o.shoppers < len(methods):
		return o, fmt.Errorf("-payments must be at least 1 and -shoppers at least %d, one for each wallet", len(methods))
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "paymux-swap-"); err != nil {
			return err
		}
		defer func() {
			if err == nil {
				_ = os.RemoveAll(o.dir)
			} else {
				fmt.Fprintln(stderr, "swap: the log is "+filepath.Join(o.dir, logName))
			}
		}()
	}
	w, err := open(ctx, o, stdout)
	if err != nil {
		return err
	}
	defer w.close()
	err = w.play(ctx)
	if ctx.Err() != nil {
		return errors.New("stopped before the end")
	}
	return errors.Join(err, w.verdict(ctx))
}
