package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc/connectivity"
)

// Attaching is for debuggers: somebody starts the plugin by hand, with the
// environment that the host wrote to a file, and the host takes that process. It
// shakes hands with it as with its own, over mutual TLS and a unix socket in a
// directory of the host's user. It checks no digest, asks after no health, since
// a process at a breakpoint is silent, and never kills or starts it.

const (
	attachWait = 24 * time.Hour // for a person who starts the plugin, and steps through its start

	attachedWhy = "it was attached by hand"

	handshakeName = "handshake"
	// handshakeEnv names the pipe to which an attached plugin's stdout goes.
	handshakeEnv = "PAYMUX_HANDSHAKE"
)

// runAttached stands for run: it waits for a plugin instead of starting one.
func (r *childRunner) runAttached(started chan<- error) {
	defer r.stdout.Close()
	defer close(r.done)
	handshake, err := openHandshake(filepath.Join(r.socketDir, handshakeName))
	if err != nil {
		started <- err
		return
	}
	defer handshake.Close()
	if err := writeEnvironment(r.attach, append(r.cmd.Env, handshakeEnv+"="+handshake.Name())); err != nil {
		started <- err
		return
	}
	defer os.Remove(r.attach)
	started <- nil
	var reader sync.WaitGroup
	reader.Go(func() { r.handshake(handshake) })
	<-r.letGo
	_ = handshake.Close()
	_ = r.stdout.Close() // whoever still writes gives up
	reader.Wait()
	r.exit = Exit{At: time.Now().UTC(), Code: -1, Attached: true}
}

// openHandshake makes the pipe for the plugin's stdout. It is open both ways, so
// that a plugin which ends before it shakes hands may be started once more.
func openHandshake(path string) (*os.File, error) {
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		return nil, fmt.Errorf("make a pipe for the attached plugin: %w", err)
	}
	return os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
}

// writeEnvironment writes a file for a shell to read. It holds no secret: the
// certificate in it is the host's public one. A file that is there is somebody's.
func writeEnvironment(path string, env []string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the environment for the attached plugin (remove the file if a host left it): %w", err)
	}
	var text strings.Builder
	text.WriteString("# For one plugin that is started by hand; see docs/debug.md.\n")
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		fmt.Fprintf(&text, "export %s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`))
	}
	_, err = io.WriteString(file, text.String())
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

// detach lets an attached process go: it lives on, if it does.
func (r *childRunner) detach() { r.letGoOnce.Do(func() { close(r.letGo) }) }

// untilDisconnected lets an attached process go when its connection has ended,
// which is all that the host sees of its end.
func (s *session) untilDisconnected() {
	protocol, err := s.client.Client()
	if err != nil {
		return
	}
	conn := protocol.(*goplugin.GRPCClient).Conn
	r := s.child()
	ctx, cancel := s.whileItRuns(context.Background())
	go func() {
		defer cancel()
		state := conn.GetState()
		for state == connectivity.Connecting && conn.WaitForStateChange(ctx, state) { // calls get through a moment before Ready
			state = conn.GetState()
		}
		for ; state == connectivity.Ready; state = conn.GetState() {
			if !conn.WaitForStateChange(ctx, state) {
				return
			}
		}
		r.detach()
	}()
}

// attached is the image of a process whose bytes the host doesn't know.
func (p *Process) attached(path string) *image {
	p.opts.Logger.Warn("PLUGIN IS ATTACHED BY HAND: the host starts none and waits. What attaches is not checked against the lock file, "+
		"its health is not watched, and a payment that it holds at a breakpoint ends as UNKNOWN. Start it with this environment; never do this where money is moved",
		"plugin", p.opts.Name, "environment", p.opts.Attach)
	img := &image{path: path, unsealedWhy: attachedWhy}
	p.mu.Lock()
	p.image = img
	p.mu.Unlock()
	return img
}
