package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// attachable starts a host's side that waits for a plugin.
func attachable(t *testing.T) (s started, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "plugin.env")
	return start(t, "good", func(o *Options) {
		o.Attach = file
		o.policy.health, o.policy.answer = time.Millisecond, time.Millisecond // nobody asks, so nobody minds
	}), file
}

// byHand starts a plugin as a person does, in a shell.
func byHand(t *testing.T, file, name string) *exec.Cmd {
	t.Helper()
	eventually(t, "the environment", func() bool {
		text, _ := os.ReadFile(file)
		return strings.Contains(string(text), handshakeEnv) && strings.HasSuffix(string(text), "'\n")
	})
	cmd := exec.Command("/bin/sh", "-c", `. "$0" && exec "$1" >"$PAYMUX_HANDSHAKE"`, file, binary(t, name))
	cmd.Env = []string{} // the file has all
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	return cmd
}

func describe(t *testing.T, s started) {
	t.Helper()
	service, err := s.Ready(t.Context())
	if err == nil {
		_, err = service.Describe(t.Context(), &pb.DescribeRequest{})
	}
	if err != nil {
		t.Error(err)
	}
}

// stopped reports whether every thread of a process stands still: the signal
// that does it returns before that.
func stopped(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		_, state, _ := strings.Cut(string(stat), ") ")
		if err == nil && !strings.HasPrefix(state, "T") {
			return false
		}
	}
	return len(threads) > 0
}

func TestAttach(t *testing.T) {
	s, file := attachable(t)
	cmd := byHand(t, file, "good")
	describe(t, s)
	if !strings.Contains(s.log.String(), "ATTACHED BY HAND") {
		t.Error("the log doesn't say so")
	}
	st := s.Status()
	if st.State != StateRunning || st.Sealed || st.Pinned || st.SHA256 != "" || st.Unsealed != attachedWhy || st.Restarts != 0 {
		t.Errorf("%+v", st)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}

	// At a breakpoint it is silent for many health checks.
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all its threads to stand still", func() bool { return stopped(cmd.Process.Pid) })
	answered := make(chan struct{})
	go func() { defer close(answered); describe(t, s) }()
	if within(100*time.Millisecond, answered) {
		t.Error("it answered although it is stopped")
	}
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	<-answered
	if st := s.Status(); st.State != StateRunning || st.Restarts != 0 {
		t.Errorf("%+v", st)
	}

	// With the host it ends as any plugin does, and nothing is left.
	s.Stop()
	eventually(t, "the plugin to end", func() bool { return gone(cmd.Process.Pid) })
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the environment is still there: %v", err)
	}
}

// The host starts no other in the place of one that was attached; whoever
// started it may do so again.
func TestAttachedThatIsKilled(t *testing.T) {
	s, file := attachable(t)
	first := byHand(t, file, "good")
	describe(t, s)
	kill(t, first.Process.Pid)
	eventually(t, "the host to notice", func() bool { return strings.Contains(s.log.String(), "is gone") })
	if st := s.Status(); st.Running || st.LastExit == nil || !st.LastExit.Attached {
		t.Errorf("%+v", st)
	} else {
		inUTC(t, st.LastExit.At)
	}
	eventually(t, "the host to wait again", func() bool { return strings.Count(s.log.String(), "ATTACHED BY HAND") == 2 })
	byHand(t, file, "good")
	describe(t, s)
	if st := s.Status(); st.Restarts != 1 {
		t.Errorf("%+v", st)
	}
}

// A plugin that ends before it shakes hands is simply started once more.
func TestAttachSecondTry(t *testing.T) {
	s, file := attachable(t)
	first := byHand(t, file, "exits")
	eventually(t, "its end", func() bool { return gone(first.Process.Pid) })
	byHand(t, file, "good")
	describe(t, s)
	if st := s.Status(); st.Restarts != 0 || st.LastExit != nil {
		t.Errorf("%+v", st)
	}
}

// What attaches is held to the same handshake as what the host starts.
func TestAttachRefuses(t *testing.T) {
	for name, want := range map[string]string{"elsewhere": "must listen on a unix socket", "other-dir": "must listen on a unix socket", "protocol": "ncompatible"} {
		t.Run(name, func(t *testing.T) {
			s, file := attachable(t)
			byHand(t, file, name)
			eventually(t, "a refusal", func() bool { return strings.Contains(s.log.String(), want) })
		})
	}
	t.Run("a file that is there", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "notes.txt")
		if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		s := start(t, "good", func(o *Options) { o.Attach = file })
		if why := s.failsToStart(t); !strings.Contains(why, "file exists") {
			t.Error(why)
		}
		if text, err := os.ReadFile(file); string(text) != "mine" {
			t.Errorf("%s, %v", text, err)
		}
	})
}
