package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	configName = "paymux.yaml"
	logName    = "paymux.log"

	startTime  = time.Minute
	reloadTime = time.Minute
	stopTime   = 35 * time.Second // longer than what paymux gives its running calls
)

// daemon is paymux serve.
type daemon struct {
	url     string
	cmd     *exec.Cmd
	log     *os.File
	reloads chan reloaded
	exited  chan struct{} // closed when it has ended
	err     error         // how it ended
}

// reloaded is what the log says of a reload.
type reloaded struct{ refusal string }

// startDaemon starts paymux serve in dir and waits until it listens.
func startDaemon(ctx context.Context, binary, dir string) (*daemon, error) {
	log, err := os.OpenFile(filepath.Join(dir, logName), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	d := &daemon{log: log, reloads: make(chan reloaded, 1), exited: make(chan struct{})}
	d.cmd = exec.Command(binary, "--config", configName, "serve", "--log-json")
	d.cmd.Dir, d.cmd.SysProcAttr, d.cmd.WaitDelay = dir, childAttributes(), time.Second
	ready := make(chan string, 1)
	started := make(chan error)
	go d.live(started, ready)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start paymux: %w", err)
	}
	select {
	case d.url = <-ready:
		return d, nil
	case <-d.exited:
		return nil, fmt.Errorf("paymux ended at its start: %w", d.err)
	case <-time.After(startTime):
		err = fmt.Errorf("paymux did not serve within %s", startTime)
	case <-ctx.Done():
		err = ctx.Err()
	}
	d.stop()
	return nil, err
}

// live is the life of the process, on a thread of its own: on Linux a child ends
// with the thread that started it.
func (d *daemon) live(started chan<- error, ready chan<- string) {
	runtime.LockOSThread() // never unlocked: the thread ends here
	defer close(d.exited)
	defer d.log.Close()
	out, in := io.Pipe()
	logs, logsIn := io.Pipe()
	d.cmd.Stdout, d.cmd.Stderr = in, io.MultiWriter(d.log, logsIn)
	go each(out, func(line string) {
		if _, rest, ok := strings.Cut(line, "listening on "); ok {
			ready <- strings.TrimSpace(rest)
		}
	})
	go each(logs, d.read)
	err := d.cmd.Start()
	started <- err
	if err == nil {
		if d.err = d.cmd.Wait(); d.err == nil {
			d.err = errors.New("exit status 0")
		}
	}
	in.Close()
	logsIn.Close()
}

// each hands over each line, and reads to the end whatever comes.
func each(r io.Reader, do func(line string)) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		do(lines.Text())
	}
	_, _ = io.Copy(io.Discard, r)
}

// read looks for the end of a reload.
func (d *daemon) read(line string) {
	var entry struct {
		Message string `json:"@message"`
		Error   string `json:"error"`
	}
	if json.Unmarshal([]byte(line), &entry) != nil {
		return
	}
	switch entry.Message {
	case "the config was reloaded":
		d.tell(reloaded{})
	case "the config was not reloaded; nothing was changed":
		d.tell(reloaded{entry.Error})
	}
}

// tell never blocks: the log must be read on.
func (d *daemon) tell(r reloaded) {
	select {
	case d.reloads <- r:
	default:
	}
}

// reload has it read its config again, and returns why it didn't take it, if so.
func (d *daemon) reload(ctx context.Context) (refusal string, err error) {
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		return "", fmt.Errorf("tell paymux to reload: %w", err)
	}
	select {
	case r := <-d.reloads:
		return r.refusal, nil
	case <-time.After(reloadTime):
		return "", fmt.Errorf("paymux said nothing of a reload within %s", reloadTime)
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// stop ends it: politely, and after a while by force.
func (d *daemon) stop() {
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.exited:
	case <-time.After(stopTime):
		_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
		<-d.exited
	}
}
