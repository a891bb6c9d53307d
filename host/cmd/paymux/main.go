// Command paymux runs the payment host and operates it: see docs/cli.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/paymux/paymux/host/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.LookupEnv))
}

// The exit codes.
const (
	exitOK          = 0
	exitFailed      = 1   // the command ran and its answer is no
	exitUsage       = 2   // the command line or the config file is wrong; nothing was done
	exitInterrupted = 130 // stopped by a signal before there was an answer
)

// commands is the command line.
type commands struct {
	Config string `help:"The config file. Relative paths in it start at its directory. Default: the environment variable PAYMUX_CONFIG, or paymux.yaml." placeholder:"FILE" short:"c"`

	Serve     serveCommand   `cmd:"" help:"Serve the API and the acquirers' notifications."`
	ConfigCmd configCommands `cmd:"" name:"config" help:"Check the config file."`
	Providers providers      `cmd:"" help:"Show the providers of the config file."`
	Routes    routes         `cmd:"" help:"Explain the routes of the config file."`
	Plugins   plugins        `cmd:"" help:"Start a plugin, pin binaries in the lock file, and check them."`
	Payments  payments       `cmd:"" help:"Create and read payments through the API of a running host."`
	Doctor    doctorCommand  `cmd:"" help:"Look for what keeps a host from working, with the way out."`
	Version   versionCommand `cmd:"" help:"Print the version."`
}

// app is what every command works with.
type app struct {
	ctx            context.Context
	stdout, stderr io.Writer
	lookupEnv      func(string) (string, bool)
	configPath     string
}

func (a *app) getenv(name string) string {
	value, _ := a.lookupEnv(name)
	return value
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, lookupEnv func(string) (string, bool)) int {
	a := &app{ctx: ctx, stdout: stdout, stderr: stderr, lookupEnv: lookupEnv}
	command, err := a.parse(args)
	if command == nil && err == nil {
		return exitOK // the help was printed
	}
	if err != nil {
		fmt.Fprintf(stderr, "paymux: %s\nRun paymux --help, or paymux COMMAND --help.\n", explain(err))
		return exitUsage
	}
	return a.report(command.Run(a))
}

// helpShown unwinds from kong's parser after it printed the help.
type helpShown struct{}

// parse reads the command line. Without a command and an error it has printed
// the help.
func (a *app) parse(args []string) (command *kong.Context, err error) {
	defer func() {
		switch reason := recover().(type) {
		case nil:
		case helpShown:
			command, err = nil, nil
		default:
			panic(reason)
		}
	}()
	var line commands
	parser, err := kong.New(&line,
		kong.Name("paymux"),
		kong.Description("Takes AlipayHK and Alipay CN payments through any acquirer that has a plugin."),
		kong.Writers(a.stdout, a.stderr),
		kong.Exit(func(int) { panic(helpShown{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, Summary: true}),
	)
	if err != nil {
		return nil, err
	}
	if command, err = parser.Parse(args); err != nil {
		return nil, err
	}
	for _, path := range []string{line.Config, a.getenv("PAYMUX_CONFIG"), "paymux.yaml"} {
		if a.configPath = path; path != "" {
			break
		}
	}
	return command, nil
}

// exitError ends a command with a code.
type exitError struct {
	code int
	err  error // nil: everything was said already
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// failed ends a command whose output says all.
var failed = &exitError{code: exitFailed}

func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// report prints an error and returns the exit code. Mistakes in the config are
// printed bare, one a line, so that editors find the places.
func (a *app) report(err error) int {
	if err == nil {
		return exitOK
	}
	if e, ok := errors.AsType[*exitError](err); ok {
		if e.err != nil {
			a.printError(err)
		}
		return e.code
	}
	a.printError(err)
	if isConfigMistake(err) {
		return exitUsage
	}
	return exitFailed
}

func (a *app) printError(err error) {
	if isConfigMistake(err) {
		fmt.Fprintln(a.stderr, err)
		return
	}
	fmt.Fprintf(a.stderr, "paymux: %v\n", err)
}

func isConfigMistake(err error) bool {
	_, ok := errors.AsType[config.Problem](err)
	return ok
}

// load reads the config file.
func (a *app) load() (*config.Config, error) {
	cfg, err := config.Load(a.configPath, config.WithEnv(a.lookupEnv))
	switch {
	case err == nil:
		return cfg, nil
	case isConfigMistake(err):
		return nil, err
	case errors.Is(err, os.ErrNotExist):
		return nil, usageError("there is no config file %s; name one with --config or PAYMUX_CONFIG, or write one (docs/config.md describes every key)", a.configPath)
	default:
		return nil, usageError("%w", err)
	}
}

// explain words the parser's errors: what it calls an argument where a command
// belongs is a command.
func explain(err error) string {
	text := err.Error()
	e, ok := errors.AsType[*kong.ParseError](err)
	if !ok || e.Context == nil {
		return text
	}
	if node := e.Context.Selected(); node == nil || !node.Leaf() {
		text = strings.Replace(text, "unexpected argument", "unknown command", 1)
	}
	return text
}
