//go:build linux

package chaos

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// strace runs a host and does something to its system calls. The tracer is the
// host's grandchild (-D), so that what is killed and waited for is the host.
func strace(t *testing.T, args ...string) []string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		lacks(t, "there is no strace (apt-get install strace)")
	}
	all := append([]string{path, "-D", "-f", "--seccomp-bpf", "-qq"}, args...)
	if out, err := exec.Command(path, "-D", "-f", "--seccomp-bpf", "-qq", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		forbidden(t, fmt.Sprintf("strace may not trace here: %v %s", err, out))
	}
	return all
}

// TestKillAtSyscall kills the host at its Nth write or sync, wherever that is:
// in the store's own transactions, in the job queue's, in a checkpoint.
func TestKillAtSyscall(t *testing.T) {
	t.Parallel()
	for call, most := range syscalls(t) {
		step := max(1, most/40)
		if !full {
			step = max(1, most/2)
		}
		for n := 1; n <= most; n += step {
			t.Run(fmt.Sprintf("%s:%d", call, n), func(t *testing.T) {
				t.Parallel()
				w := migrated(t)
				inject := fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n)
				die(t, w, "a kill at a system call, sqlite", life{binary: "paymux", under: strace(t, "-o", os.DevNull, "-e", inject)})
			})
		}
	}
}

// migrated is a world whose database has its tables: how they are made isn't
// about payments.
func migrated(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, sqlite)
	if err := w.mustStart(plain).stop(); err != nil {
		t.Fatal(err)
	}
	return w
}

// syscalls tells how many of each call one thread makes during the script, which
// is how strace counts.
func syscalls(t *testing.T) map[string]int {
	t.Helper()
	w := migrated(t)
	path := filepath.Join(w.dir, "trace")
	w.mustStart(life{binary: "paymux", under: strace(t, "-o", path, "-e", "trace=pwrite64,fsync,fdatasync")})
	err := w.script()
	if err == nil {
		err = w.settled()
	}
	if err != nil {
		t.Fatal(err)
	}
	w.finish("a kill at a system call, sqlite", 0)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	counts, most := map[string]int{}, map[string]int{}
	for line := range strings.Lines(string(text)) { // PID CALL(…
		thread, rest, _ := strings.Cut(line, " ")
		call, _, ok := strings.Cut(strings.TrimSpace(rest), "(")
		if !ok || !slices.Contains([]string{"pwrite64", "fsync", "fdatasync"}, call) {
			continue
		}
		counts[thread+call]++
		most[call] = max(most[call], counts[thread+call])
	}
	if most["pwrite64"] == 0 || most["fsync"]+most["fdatasync"] == 0 {
		t.Fatalf("the trace has %v", most)
	}
	t.Logf("most of one thread: %v", most)
	return most
}
