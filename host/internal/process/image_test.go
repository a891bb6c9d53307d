package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// What runs are the bytes that were hashed: the file may be exchanged between
// the two, or written to while it runs.
func TestSealed(t *testing.T) {
	if !canSeal {
		t.Skip("this platform can't seal a file")
	}
	path := binary(t, "good")
	img, err := NewImages().load(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if img.sealed == nil || img.command() == path {
		t.Fatalf("it isn't sealed: %q", img.unsealedWhy)
	}
	if _, err := img.sealed.WriteAt([]byte("x"), 0); err == nil {
		t.Error("its bytes can be changed")
	}
	if err := img.sealed.Truncate(0); err == nil {
		t.Error("it can be cut off")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho stranger\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	out, _ := (&exec.Cmd{Path: img.command(), Args: []string{path}}).CombinedOutput()
	if !strings.Contains(string(out), "This binary is a plugin") {
		t.Errorf("something else ran: %s", out)
	}
}

// A process reads its binary once: a restart costs no second reading, and
// processes of the same plugin share the memory.
func TestImagesAreShared(t *testing.T) {
	images, path := NewImages(), binary(t, "good")
	first, err := images.load(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := images.load(t.Context(), path)
	if err != nil || again != first {
		t.Errorf("it was read again: %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, 0), 0o700); err != nil {
		t.Fatal(err)
	}
	other, err := images.load(t.Context(), path)
	if err != nil || other == first || other.sha256 == first.sha256 {
		t.Errorf("the new one wasn't read: %v", err)
	}
}

// A binary that a stranger could exchange doesn't run, and the error says why
// and what to do.
func TestUntrusted(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	if err := os.Link(built, good); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(good, link); err != nil {
		t.Fatal(err)
	}
	// Not linked: the mode is that of the file, whatever its name.
	writable, open := filepath.Join(dir, "writable"), filepath.Join(dir, "open")
	nested := filepath.Join(open, "inner")
	for _, err := range []error{
		os.WriteFile(writable, []byte("x"), 0o700), os.Chmod(writable, 0o777),
		os.MkdirAll(nested, 0o700), os.Link(built, filepath.Join(open, "p")), os.Link(built, filepath.Join(nested, "p")), os.Chmod(open, 0o777),
		os.Symlink(open, filepath.Join(dir, "via")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		link:                           "is a symbolic link",
		writable:                       "chmod o-w " + writable,
		filepath.Join(open, "p"):       "the directory " + open + " may be written by everybody",
		filepath.Join(nested, "p"):     "the directory " + open + " may be written by everybody",
		filepath.Join(dir, "via/p"):    "may be written by everybody",
		filepath.Join(dir, "via/q"):    "no such file",
		filepath.Join(dir, "absent"):   "no such file",
		filepath.Join(dir, "good", ""): "",
	} {
		_, err := NewImages().load(t.Context(), path)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", path, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want it to say %q", path, err, want)
		}
	}
	// The sticky bit keeps others from exchanging what is there, but not from
	// adding a plugin.
	if err := os.Chmod(open, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if _, err := NewImages().load(t.Context(), filepath.Join(nested, "p")); err != nil {
		t.Errorf("below a sticky directory: %v", err)
	}
	if _, err := NewImages().load(t.Context(), filepath.Join(open, "p")); err == nil {
		t.Error("in a sticky directory: no error")
	}
}

// What needs bytes beside those that were hashed runs only where the operator
// has said so.
func TestUnsealed(t *testing.T) {
	script := filepath.Join(t.TempDir(), "good") // argv[0] of what it runs is another
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexec "+binary(t, "good")+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	allowed := func(t *testing.T, yes bool) started {
		return start(t, "good", func(o *Options) { o.Path, o.AllowUnsealed, o.policy.firstBackoff = script, yes, 1e9 })
	}
	t.Run("refused", func(t *testing.T) {
		if why := allowed(t, false).failsToStart(t); !strings.Contains(why, `it is a script, run by "/bin/sh"`) || !strings.Contains(why, "plugins.allow_unsealed: true") {
			t.Error(why)
		}
	})
	t.Run("allowed", func(t *testing.T) {
		s := allowed(t, true)
		s.running(t)
		if st := s.Status(); st.Sealed || !strings.Contains(st.Unsealed, "script") || !strings.Contains(s.log.String(), "runs unsealed") {
			t.Errorf("nothing says that it runs unsealed: %+v", st)
		}
	})
}

func TestDynamicallyLinked(t *testing.T) {
	sh, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		t.Skip("there is no /bin/sh")
	}
	if _, err := os.ReadFile(sh); err != nil {
		t.Skip(err)
	}
	img, err := NewImages().load(t.Context(), sh)
	if err != nil {
		t.Fatal(err)
	}
	if img.sealed == nil || !img.dynamic() {
		t.Errorf("sealed %t, dynamic %t", img.sealed != nil, img.dynamic())
	}
	static, err := NewImages().load(t.Context(), built)
	if err != nil || static.dynamic() {
		t.Errorf("a static binary: %v", err)
	}
}

// A plugin that doesn't start again and again isn't started any more, says why,
// and comes back when there is a reason to try: here another binary.
func TestQuarantine(t *testing.T) {
	s := start(t, "exits", func(o *Options) {
		o.policy.budget, o.policy.look = 3, 1e6
	})
	eventually(t, "a quarantine", func() bool { return s.Status().Quarantine != nil })
	st := s.Status()
	if st.State != StateQuarantined || !strings.Contains(st.Quarantine.Reason, "it failed 3 times in a row") || !strings.Contains(st.Quarantine.Reason, "the licence has run out") || !st.Quarantine.Until.After(st.Quarantine.Since) {
		t.Errorf("%+v, %+v", st, st.Quarantine)
	}
	if n := strings.Count(s.log.String(), "did not start"); n != 3 {
		t.Errorf("it was started %d times", n)
	}
	_, err := s.Service(t.Context())
	if e := sdk.AsError(err); e.Outcome != sdk.OutcomeNotSent || e.Code != sdk.CodePluginUnavailable || !strings.Contains(e.Error(), "quarantined until") || e.RetryAfter <= 0 {
		t.Errorf("a call: %v", err)
	}
	other := binary(t, "good")
	if err := os.Rename(other, s.opts.Path); err != nil { // it is called exits, and does
		t.Fatal(err)
	}
	eventually(t, "the end of the quarantine", func() bool { return strings.Contains(s.log.String(), "the binary was exchanged") })
	// It is on probation: one failure more, and it is back.
	eventually(t, "the next quarantine", func() bool { return strings.Count(s.log.String(), "plugin is quarantined") == 2 })
	if n := strings.Count(s.log.String(), "did not start"); n != 4 {
		t.Errorf("it was started %d times", n)
	}
	s.Retry()
	eventually(t, "the end of the second", func() bool { return strings.Contains(s.log.String(), "it was asked for") })
}

// The time of a quarantine ends too.
func TestQuarantineIsOver(t *testing.T) {
	s := start(t, "exits", func(o *Options) {
		o.policy.budget, o.policy.quarantine = 1, 1e6
	})
	eventually(t, "further tries", func() bool { return strings.Count(s.log.String(), "its time is over") >= 2 })
}

// A plugin whose answers break the contract again and again is ended.
func TestLies(t *testing.T) {
	s := start(t, "good", func(o *Options) { o.policy.lies, o.policy.look = 3, 1e6 })
	s.running(t)
	s.Lied("o1", "once")
	for range 5 {
		s.Lied("o1", "the same order is asked about again")
	}
	s.Lied("o2", "twice")
	if st := s.Status(); !st.Running {
		t.Fatalf("%+v", st)
	}
	s.Lied("o3", "it says that another order was paid")
	eventually(t, "a quarantine", func() bool { return s.Status().Quarantine != nil })
	if st := s.Status(); st.Running || !strings.Contains(st.Quarantine.Reason, "3 of its answers broke the contract, the last one so: it says that another order was paid") {
		t.Errorf("%+v", st.Quarantine)
	}
	s.Retry()
	eventually(t, "the end of the quarantine", func() bool { return s.Status().Quarantine == nil })
	service, err := s.Ready(t.Context())
	if err == nil {
		_, err = service.Describe(t.Context(), &pb.DescribeRequest{})
	}
	if err != nil {
		t.Errorf("after the quarantine: %v", err)
	}
	s.Lied("o4", "once more") // its record is clean again
	if !s.Status().Running {
		t.Error("it was ended for one lie")
	}
}

// Lies that lie long back are forgotten.
func TestOldLies(t *testing.T) {
	s := start(t, "good", func(o *Options) { o.policy.lies, o.policy.lieWindow = 2, 1 })
	pid := s.running(t)
	for i := range 10 {
		s.Lied(fmt.Sprint("o", i), "now and then")
	}
	if st := s.Status(); st.PID != pid || st.Quarantine != nil {
		t.Errorf("%+v", st)
	}
}

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
	if e := s.Status().LastExit; !e.OOM || e.ByHost || !strings.Contains(e.String(), "out of memory; it had ") {
		t.Errorf("%+v", e)
	}
}
