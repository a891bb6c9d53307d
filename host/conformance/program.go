package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/paymux/paymux/host/internal/process"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

var _ providertest.Program = (*Binary)(nil)

// Spawn starts another process of the binary, which cases may kill and freeze.
func (b *Binary) Spawn(t *rules.T) providertest.Process {
	another, err := Start(t.Context(), b.path, b.unsealed)
	if err != nil {
		t.Fatalf("it doesn't start a second time: %v", err)
	}
	t.Cleanup(another.Close)
	return spawned{another}
}

// spawned is a process for one case.
type spawned struct{ *Binary }

// Kill kills the process and waits until the supervisor has started it again.
func (s spawned) Kill(ctx context.Context) error { return killed(ctx, s.process) }

func killed(ctx context.Context, p *process.Process) error {
	before := p.Status().PID
	if before == 0 { // to kill 0 is to kill one's own group
		return errors.New("it doesn't run")
	}
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		return err
	}
	for p.Status().PID == before || !p.Status().Running {
		select {
		case <-ctx.Done():
			return fmt.Errorf("it doesn't come up again: %s", p.Status().Error)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// Freeze stops the process where it is, and waits until it stands still.
func (s spawned) Freeze(ctx context.Context) (thaw func(), err error) {
	pid := s.process.Status().PID
	if pid == 0 {
		return nil, errors.New("it doesn't run")
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return nil, err
	}
	for !standsStill(pid) && ctx.Err() == nil {
		<-time.After(time.Millisecond)
	}
	return func() { _ = syscall.Kill(pid, syscall.SIGCONT) }, nil // it may have been killed meanwhile
}

// standsStill looks at each thread: the signal reaches them one by one. Where
// there is no /proc, nobody can tell.
func standsStill(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if err != nil {
			continue // it has ended
		}
		_, state, _ := strings.Cut(string(stat), ") ")
		if !strings.HasPrefix(state, "T") {
			return false
		}
	}
	return true
}

// Stop stops the process and looks through its output.
func (s spawned) Stop() (misprinted []string) {
	s.Close() // after which nothing more is logged
	return misprints(s.log.since(0))
}

// The words of package process, with what no line of a plugin can hold: there its
// quotes are escaped.
const (
	saysStdout  = `"@message":"the plugin printed to stdout`
	saysNotUTF8 = `"not_utf8":true`
)

// misprints finds what is of no use in a log.
func misprints(log string) (all []string) {
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		switch {
		case strings.Contains(line, saysStdout):
			all = append(all, "it prints to stdout: "+cut(line))
		case strings.Contains(line, saysNotUTF8):
			all = append(all, "it prints what isn't UTF-8 to stderr: "+cut(line))
		}
	}
	return all
}
