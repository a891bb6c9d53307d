// Package process runs the programs of an example, which end with it.
package process

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Main is the main function of an example. Ctrl-C ends it in order, a second one
// at once.
func Main(name string, run func(ctx context.Context, args []string, stdout, stderr io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
}

// Find looks for programs in the folder that make build fills.
func Find(bin string, names ...string) error {
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(bin, name)); err != nil {
			return fmt.Errorf("there is no %s in %s; run make build, or name the folder with -bin", name, bin)
		}
	}
	return nil
}

// Process is a program that serves.
type Process struct {
	Name    string
	URL     string        // where it listens, by its own word
	LogPath string        // all that it says
	Exited  chan struct{} // closed when it has ended
	Err     error         // how it ended

	cmd *exec.Cmd
}

const (
	startTime = time.Minute      // a program may take until it serves
	stopTime  = 35 * time.Second // longer than what paymux gives its running calls
)

// Start starts a program and waits until it says where it listens. Each line of
// its stderr goes to read too, if that isn't nil. A program that doesn't come to
// serve is stopped, and returned with the error.
func Start(ctx context.Context, name string, cmd *exec.Cmd, logPath string, read func(line string)) (*Process, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	p := &Process{Name: name, LogPath: logPath, Exited: make(chan struct{}), cmd: cmd}
	ready := make(chan string, 1)
	cmd.Stdout, cmd.Stderr = &lines{log: log, read: func(line string) {
		if _, rest, ok := strings.Cut(line, "listening on "); ok && len(ready) == 0 {
			ready <- strings.Fields(rest)[0]
		}
	}}, io.Writer(log)
	if read != nil {
		cmd.Stderr = &lines{log: log, read: read}
	}
	cmd.SysProcAttr, cmd.WaitDelay = attributes(), time.Second
	started := make(chan error)
	go p.live(log, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	select {
	case p.URL = <-ready:
		return p, nil
	case <-p.Exited:
		return p, fmt.Errorf("%s ended at its start (%w):\n%s", name, p.Err, p.LastLines())
	case <-time.After(startTime):
		err = fmt.Errorf("%s did not serve within %s:\n%s", name, startTime, p.LastLines())
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.Stop()
	return p, err
}

// live is the life of the process, on a thread of its own: on Linux a child ends
// with the thread that started it.
func (p *Process) live(log *os.File, started chan<- error) {
	runtime.LockOSThread() // never unlocked: the thread ends here
	defer close(p.Exited)
	defer log.Close()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	if p.Err = p.cmd.Wait(); p.Err == nil {
		p.Err = errors.New("exit status 0")
	}
}

// PID is the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Stop ends it: politely, and after a while by force.
func (p *Process) Stop() {
	_ = p.Signal(syscall.SIGTERM)
	select {
	case <-p.Exited:
	case <-time.After(stopTime):
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
		<-p.Exited
	}
}

// LastLines are the end of the log.
func (p *Process) LastLines() string {
	text, _ := os.ReadFile(p.LogPath)
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return "    " + strings.Join(lines[max(0, len(lines)-8):], "\n    ")
}

// lines logs what a program writes, and hands over each line once it is whole and
// in the log.
type lines struct {
	log  io.Writer
	read func(line string)
	rest []byte
}

func (l *lines) Write(p []byte) (int, error) {
	n, err := l.log.Write(p)
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			return n, err
		}
		l.read(string(line))
		l.rest = rest
	}
}
