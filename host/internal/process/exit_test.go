package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A plugin that the kernel killed for want of memory is told from others.
func TestOOM(t *testing.T) {
	dir := t.TempDir()
	self, root := cgroupOfSelf, cgroupRoot
	t.Cleanup(func() { cgroupOfSelf, cgroupRoot = self, root })
	cgroupOfSelf, cgroupRoot = filepath.Join(dir, "self"), dir
	write := func(name, text string) {
		t.Helper()
		err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700), os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := oomKills(); n != 0 {
		t.Errorf("without cgroups: %d", n)
	}
	write("self", "0::/pay\n")
	write("pay/memory.events", "low 0\noom 3\noom_kill 2\noom_group_kill 9\n")
	if n := oomKills(); n != 2 {
		t.Errorf("version 2: %d", n)
	}
	write("self", "4:memory:/old\n1:cpu:/\n0::/\n")
	write("memory/old/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n")
	if n := oomKills(); n != 5 {
		t.Errorf("version 1: %d", n)
	}
	s := start(t, "good", nil)
	pid := s.running(t)
	write("memory/old/memory.oom_control", "oom_kill 6\n")
	kill(t, pid)
	eventually(t, "its exit", func() bool { return s.Status().LastExit != nil })
	last := s.Status().LastExit
	if !last.OOM || last.ByHost || !strings.Contains(last.String(), "out of memory; it had ") {
		t.Errorf("%+v", last)
	}
	for _, other := range []struct {
		count int // of the kernel's kills by then
		by    syscall.Signal
	}{{6, syscall.SIGKILL}, {7, syscall.SIGTERM}} { // nobody was killed meanwhile; another one was
		pid := s.running(t)
		write("memory/old/memory.oom_control", fmt.Sprintf("oom_kill %d\n", other.count))
		signal(t, pid, other.by)
		eventually(t, "its exit", func() bool { return s.Status().LastExit != last })
		if last = s.Status().LastExit; last.OOM || last.Signal != other.by.String() {
			t.Errorf("%+v", last)
		}
	}
}
