package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/paymux/paymux/sdk"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

func TestKilledPluginIsStartedAgain(t *testing.T) {
	s := start(t, "good", nil)
	for i := 1; i <= 3; i++ {
		pid := s.running(t)
		kill(t, pid)
		eventually(t, "another process", func() bool { st := s.Status(); return st.Running && st.PID != pid })
		st := s.Status()
		if st.Restarts != i || st.LastExit == nil || st.LastExit.Signal != "killed" || st.LastExit.Code != -1 || st.LastExit.At.IsZero() || st.LastExit.MaxRSS == 0 {
			t.Errorf("after kill %d: %+v, %+v", i, st, st.LastExit)
		}
		inUTC(t, st.Since, st.Health.At, st.LastExit.At)
		if !gone(pid) {
			t.Error("the old one runs on")
		}
	}
	service, err := s.Service(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := service.Describe(t.Context(), &pb.DescribeRequest{}); err != nil {
		t.Error(err)
	}
}

// inUTC: times are answered as they are kept, and the API promises UTC.
func inUTC(t *testing.T, times ...time.Time) {
	t.Helper()
	for _, at := range times {
		if at.IsZero() || at.Location() != time.UTC {
			t.Errorf("%s is in zone %s", at, at.Location())
		}
	}
}

// A process that stands still is killed and started again.
func TestFrozenPluginIsStartedAgain(t *testing.T) {
	s := start(t, "good", func(o *Options) {
		o.policy.health, o.policy.answer, o.policy.grace = 50*time.Millisecond, time.Second, time.Second
	})
	pid := s.running(t)
	signal(t, pid, syscall.SIGSTOP)
	eventually(t, "another process", func() bool { st := s.Status(); return st.Running && st.PID != pid })
	if !gone(pid) || !strings.Contains(s.log.String(), "frozen") || s.Status().LastExit.Signal != "killed" {
		t.Errorf("gone: %t, last exit %+v", gone(pid), s.Status().LastExit)
	}
}

// One answer that is late is forgiven.
func TestLateAnswerIsForgiven(t *testing.T) {
	p := &Process{opts: Options{Logger: hclog.NewNullLogger(), Redact: func(s string) string { return s }}}
	late := errors.New("late")
	answers := []error{late, nil, late, nil, late, late, nil}
	tick := make(chan time.Time, len(answers))
	for range answers {
		tick <- time.Time{}
	}
	asked := 0
	frozen := p.frozen(t.Context(), tick, func() error {
		asked++
		return answers[asked-1]
	})
	if !frozen || asked != 6 || p.health.OK || p.health.Error != "late" {
		t.Errorf("frozen: %t, after %d answers: %+v", frozen, asked, p.health)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if p.frozen(ctx, nil, func() error { return late }) {
		t.Error("a host that stops calls its plugin frozen")
	}
}

// One that answers its health checks is left alone.
func TestHealthyPluginIsLeftAlone(t *testing.T) {
	s := start(t, "good", func(o *Options) { o.policy.health = time.Millisecond })
	pid := s.running(t)
	within(300*time.Millisecond, nil)
	inUTC(t, s.Status().Health.At)
	if st := s.Status(); st.PID != pid || st.Restarts != 0 {
		t.Errorf("it was started again: %+v", st)
	}
}

// Stop takes bounded time and leaves no process, whatever the plugin does.
func TestStop(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before func(t *testing.T, s started, pid int)
	}{
		{"good", nil},
		{"stubborn", nil},
		{"flood", nil},
		{"good", func(t *testing.T, _ started, pid int) { signal(t, pid, syscall.SIGSTOP) }},
		{"good", func(t *testing.T, _ started, pid int) { kill(t, pid) }},
		{"leaver", func(t *testing.T, _ started, pid int) { signal(t, pid, syscall.SIGSTOP) }}, // went over to another group
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, tt.name, func(o *Options) { o.policy.grace = time.Second })
			pid := s.running(t)
			if tt.before != nil {
				tt.before(t, s, pid)
			}
			began := time.Now()
			s.Stop()
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
			if err := syscall.Kill(-pid, 0); err != syscall.ESRCH {
				t.Errorf("its group is still there: %v", err)
			}
			if !gone(pid) {
				t.Error("it runs on")
				kill(t, pid)
			}
			s.Stop() // again it does nothing
			_, err := s.Service(t.Context())
			if e := sdk.AsError(err); e == nil || e.Code != sdk.CodeShuttingDown || e.Outcome != sdk.OutcomeNotSent {
				t.Errorf("a call after the end: %v", err)
			}
		})
	}
}

// Stop doesn't wait for a start to run out of time.
func TestStopWhileItStarts(t *testing.T) {
	for _, name := range []string{"silent", "deaf", "exits", "good"} {
		s := start(t, name, func(o *Options) { o.policy.start = time.Hour })
		if name != "good" && name != "exits" {
			eventually(t, "its directory", func() bool { left, _ := os.ReadDir(s.tmp); return len(left) == 1 })
		}
		began := time.Now()
		s.Stop()
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: it took %s", name, took)
		}
	}
}

var grandchildLine = regexp.MustCompile(`grandchild (\d+) <nil>`)

// grandchildOf returns the process that the plugin says it started.
func grandchildOf(t *testing.T, s started) int {
	t.Helper()
	var found []string
	eventually(t, "a grandchild", func() bool { found = grandchildLine.FindStringSubmatch(s.log.String()); return found != nil })
	if found == nil {
		t.FailNow()
	}
	pid, _ := strconv.Atoi(found[1])
	return pid
}

// What a plugin started dies with it: it may hold secrets or ports.
func TestGrandchild(t *testing.T) {
	for why, end := range map[string]func(s started, pid int){
		"stopped": func(s started, _ int) { s.Stop() },
		"killed":  func(_ started, pid int) { kill(t, pid) },
	} {
		s := start(t, "parent", nil)
		pid := s.running(t)
		child := grandchildOf(t, s)
		if gone(child) {
			t.Fatal("there is no grandchild")
		}
		end(s, pid)
		eventually(t, "the end of a grandchild whose parent was "+why, func() bool { return gone(child) })
		s.Stop()
	}
}

// One that left the group can't be killed, but keeps nobody waiting although it
// holds the plugin's stdout and stderr.
func TestDaemon(t *testing.T) {
	s := start(t, "parent-of-daemon", nil)
	pid := s.running(t)
	daemon := grandchildOf(t, s)
	defer kill(t, daemon)
	kill(t, pid)
	eventually(t, "another process", func() bool { st := s.Status(); return st.Running && st.PID != pid })
	var all [][]string
	eventually(t, "the second daemon", func() bool { all = grandchildLine.FindAllStringSubmatch(s.log.String(), -1); return len(all) > 1 })
	for _, line := range all[1:] {
		pid, _ := strconv.Atoi(line[1])
		defer kill(t, pid)
	}
	began := time.Now()
	s.Stop()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

// A dead plugin's socket may be held by a process that can't be killed and never
// answers: no wait is for that one.
func TestDaemonHoldsTheSocket(t *testing.T) {
	began := time.Now()
	s := start(t, "deaf-daemon", func(o *Options) { o.policy.firstBackoff, o.policy.longestBackoff = time.Hour, time.Hour })
	daemon := grandchildOf(t, s)
	defer kill(t, daemon)
	if why := s.failsToStart(t); !strings.Contains(why, "it ended while it started; it exited with code 0") {
		t.Error(why)
	}
	s.Stop()
	if took := time.Since(began); took > 15*time.Second { // gRPC alone takes 20 s
		t.Errorf("it took %s", took)
	}
}

// One that is killed before it runs never does.
func TestKillBeforeStart(t *testing.T) {
	r := newChildRunner(&image{path: built}, t.TempDir(), nil, &stderrLog{logger: (&records{}).logger(), redact: redactSecret})
	if err := r.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context()); !errors.Is(err, errStopped) {
		t.Errorf("Start: %v", err)
	}
	<-r.done
	if r.cmd.Process != nil {
		t.Error("it ran")
	}
}

// The number of a process that has ended may be a stranger's: who has it isn't
// killed.
func TestKillAfterTheEnd(t *testing.T) {
	stranger := exec.Command("sleep", "60")
	stranger.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	r := newChildRunner(&image{path: built}, t.TempDir(), nil, nil)
	r.cmd.Process, r.ended = stranger.Process, true
	if err := r.Kill(t.Context()); err != nil {
		t.Error(err)
	}
	if err := stranger.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := stranger.Wait(); err == nil || !strings.Contains(err.Error(), "terminated") {
		t.Errorf("the stranger ended so: %v", err)
	}
}

// hostThatIsKilled is a host in a process of its own.
func hostThatIsKilled(path string) {
	p := Start(Options{Name: "good", Path: path})
	for p.Status().PID == 0 {
		within(time.Millisecond, nil)
	}
	fmt.Println(p.Status().PID)
	<-p.ended
}

// A host that is killed leaves no plugin: it would go on taking orders for
// nobody, beside the one of the next host. This one has no watchdog of the sdk.
func TestHostIsKilled(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	host := exec.CommandContext(ctx, exe)
	host.Env = append(os.Environ(), "PROCESS_TEST_HOST="+binary(t, "stock"), "TMPDIR="+shortTemp(t))
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(out, &pid); err != nil || gone(pid) {
		t.Fatalf("the plugin %d doesn't run: %v", pid, err)
	}
	kill(t, host.Process.Pid)
	_ = host.Wait()
	eventually(t, "the plugin to end with its host", func() bool { return gone(pid) })
}

// Where no signal tells a plugin that its host is gone, it notices by itself.
func TestWatchdog(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	host := exec.CommandContext(ctx, "/bin/sh", "-c", `"$0" & echo $!; wait`, binary(t, "good"))
	host.Env = []string{"PAYMUX_PROVIDER=v1", "PLUGIN_PROTOCOL_VERSIONS=1", "PLUGIN_UNIX_SOCKET_DIR=" + shortTemp(t)}
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	var handshake string
	if _, err := fmt.Fscan(out, &pid, &handshake); err != nil || !strings.HasPrefix(handshake, "1|1|unix|") || gone(pid) {
		t.Fatalf("the plugin %d says %q: %v", pid, handshake, err)
	}
	kill(t, host.Process.Pid)
	_ = host.Wait()
	eventually(t, "the plugin to end with its host", func() bool { return gone(pid) })
}

// Nothing is left of a process that was, however many there were.
func TestManyStarts(t *testing.T) {
	n := 60
	if os.Getenv("CHAOS") == "full" {
		n = 1000
	}
	images, path, tmp := NewImages(), binary(t, "good"), shortTemp(t)
	t.Setenv("TMPDIR", tmp)
	life := func() {
		p := Start(Options{Name: "good", Path: path, Images: images})
		if _, err := p.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.Stop()
	}
	life() // what is made once
	eventually(t, "the first to be gone", func() bool { return leaked() == "" })
	files := openFiles(t)
	for range n {
		life()
	}
	eventually(t, "all goroutines to end", func() bool { return leaked() == "" })
	if left, err := os.ReadDir(tmp); len(left) > 0 || err != nil {
		t.Errorf("left in TMPDIR: %v, %v", left, err)
	}
	if now := openFiles(t); now > files {
		t.Errorf("after %d starts %d files are open, before %d", n, now, files)
	}
	if children, _ := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid())); len(children) > 0 {
		t.Errorf("children: %s", children)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(all)
}

func signal(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
}
