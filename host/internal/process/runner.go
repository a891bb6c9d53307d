package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin/runner"
)

// childRunner starts one plugin process for go-plugin and stands between the
// two: go-plugin never sees the process's stderr (one ill-typed line there makes
// it panic), sees one line of its stdout, and dials only a unix socket in our
// own directory.
type childRunner struct {
	image     *image // must stay open until it runs
	cmd       *exec.Cmd
	socketDir string
	log       *stderrLog

	attach    string        // the file for the environment of a process that is started by hand; empty: the host starts it
	letGo     chan struct{} // closed by detach
	letGoOnce sync.Once

	stdout       *io.PipeReader
	stdoutWriter *io.PipeWriter

	done chan struct{} // closed when the process has ended, or couldn't be started
	exit Exit          // valid after done

	mu     sync.Mutex
	doomed bool // killed, maybe before it ran
	ended  bool // its number may be somebody else's
}

var _ runner.Runner = (*childRunner)(nil)

func newChildRunner(img *image, socketDir string, env []string, log *stderrLog) *childRunner {
	r := &childRunner{image: img, socketDir: filepath.Clean(socketDir), log: log, letGo: make(chan struct{}), done: make(chan struct{})}
	r.cmd = &exec.Cmd{Path: img.command(), Args: []string{img.path}}
	r.cmd.Env = env // go-plugin's own variables only: no secret of the host's environment
	r.cmd.Dir = r.socketDir
	r.cmd.SysProcAttr = childAttributes()
	r.stdout, r.stdoutWriter = io.Pipe()
	return r
}

// Start starts the process from an OS thread that lives as long as the process
// does: the parent-death signal follows the thread, not the program.
func (r *childRunner) Start(context.Context) error {
	started := make(chan error)
	if r.attach != "" {
		go r.runAttached(started)
		return <-started
	}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		r.run(started)
	}()
	return <-started
}

func (r *childRunner) run(started chan<- error) {
	defer r.stdout.Close() // whoever still writes gives up
	defer close(r.done)
	out, outWriter, err := os.Pipe()
	if err != nil {
		started <- err
		return
	}
	defer out.Close()
	errs, errsWriter, err := os.Pipe()
	if err != nil {
		outWriter.Close()
		started <- err
		return
	}
	defer errs.Close()
	r.cmd.Stdout, r.cmd.Stderr = outWriter, errsWriter
	oomBefore := oomKills()
	err = r.launch()
	outWriter.Close()
	errsWriter.Close()
	started <- err
	if err != nil {
		return
	}
	var readers sync.WaitGroup
	readers.Go(func() { r.handshake(out) })
	readers.Go(func() { r.log.read(errs) })
	waitErr := r.reap()
	// A grandchild that left the group may hold the other ends for ever.
	_ = out.SetReadDeadline(time.Now().Add(drainTime))
	_ = errs.SetReadDeadline(time.Now().Add(drainTime))
	readers.Wait()
	r.exit = describeExit(r.cmd.ProcessState, waitErr, r.log.last(), oomBefore)
	r.mu.Lock()
	r.exit.ByHost = r.doomed && r.exit.Signal != ""
	r.mu.Unlock()
}

func (r *childRunner) launch() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.doomed {
		return errStopped
	}
	return r.cmd.Start()
}

// drainTime is how long the last log lines of an ended process are read.
const drainTime = 200 * time.Millisecond

// handshakeLimit is how much a plugin may print before its handshake line.
const handshakeLimit = 64 << 10

// handshake forwards the first line that looks like go-plugin's handshake and
// throws everything else on stdout away, with a warning, so that a banner doesn't
// break the start and a full pipe never blocks the plugin.
func (r *childRunner) handshake(out io.Reader) {
	in := bufio.NewReaderSize(out, handshakeLimit)
	whole := true // lines were read
	for left := handshakeLimit; left > 0; {
		line, err := in.ReadSlice('\n')
		left -= len(line)
		text := strings.TrimRight(string(line), "\r\n")
		if strings.HasPrefix(text, "1|") && strings.Count(text, "|") >= 4 {
			fmt.Fprintln(r.stdoutWriter, text)
			break
		}
		if len(line) > 0 {
			r.log.stray(text)
		}
		if err != nil {
			whole = !errors.Is(err, bufio.ErrBufferFull)
			break
		}
	}
	r.stdoutWriter.Close() // there is no more to come
	if !whole {            // what comes next may begin in the middle of a secret
		_, _ = io.Copy(io.Discard, in)
	}
	r.log.strays(in) // some may have come with the line
}

// Wait waits for the end of the process.
func (r *childRunner) Wait(context.Context) error {
	<-r.done
	return nil // the exit is reported once, by the supervisor
}

// Kill ends the process and all that it started. One that doesn't run yet will
// not.
func (r *childRunner) Kill(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.doomed = true
	r.detach()
	if r.cmd.Process != nil && !r.ended {
		killGroup(r.cmd.Process)
	}
	return nil
}

// Stdout carries the handshake line only.
func (r *childRunner) Stdout() io.ReadCloser { return r.stdout }

// Stderr is empty: the log is read by us.
func (r *childRunner) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name returns the path of the binary.
func (r *childRunner) Name() string { return r.image.path }

// ID returns the process id.
func (r *childRunner) ID() string {
	if r.attach != "" {
		return "attached" // go-plugin ends nothing that has no number
	}
	if r.cmd.Process == nil {
		return ""
	}
	return fmt.Sprint(r.cmd.Process.Pid)
}

// Diagnose says why a process may have failed to shake hands. The supervisor
// says it better.
func (r *childRunner) Diagnose(context.Context) string { return "" }

// PluginToHost lets the host dial nothing but a unix socket in our directory: an
// address comes from the plugin and could point anywhere.
func (r *childRunner) PluginToHost(network, address string) (string, string, error) {
	if network != "unix" || filepath.Dir(filepath.Clean(address)) != r.socketDir {
		return "", "", fmt.Errorf("the plugin must listen on a unix socket in its own directory, not on %s %s", network, address)
	}
	return network, address, nil
}

// HostToPlugin changes nothing: both see the same file system.
func (r *childRunner) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
