package providertest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"os"
	"sync"

	"github.com/paymux/paymux/sdk"
)

// InProcess is the plugin as a value in this process: the nearest to its code,
// where a debugger and the race detector see it. The binary is checked by the
// same cases, see host/conformance.
func InProcess(p sdk.Plugin) Plugin { return inProcess{p} }

type inProcess struct{ sdk.Plugin }

func (p inProcess) Describe(context.Context) (Description, error) {
	return Description{p.Info, p.ConfigSchema, p.Capabilities}, nil
}

func (p inProcess) Open(ctx context.Context, name string, config []byte) (sdk.Provider, error) {
	if p.Plugin.Open == nil {
		return nil, errors.New("the field Open is nil")
	}
	provider, err := p.Plugin.Open(ctx, sdk.NewConfig(name, config))
	if err == nil && provider == nil {
		err = errors.New("the function Open returned no provider and no error")
	}
	return provider, err
}

// CaptureLog takes what goes to log and slog. What is printed to stderr directly
// is seen when the binary is checked.
func (p inProcess) CaptureLog() (stop func() string) {
	var b lockedBuffer
	structured, plain := slog.Default(), log.Writer()
	flags := log.Flags()
	slog.SetDefault(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug})))
	log.SetOutput(&b) // SetDefault has moved it into slog
	return func() string {
		slog.SetDefault(structured)
		if plain == nil {
			plain = os.Stderr
		}
		log.SetOutput(plain)
		log.SetFlags(flags)
		return b.String()
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

var _ io.Writer = (*lockedBuffer)(nil)

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
