//go:build linux

package chaos

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/paymux/paymux/host/internal/pgtest"
)

// bin holds the binaries under test: paymux as it ships, the same with its
// failpoints, and the plugin.
var bin string

// full is what make chaos runs: every point. Otherwise a few of each kind.
var full = os.Getenv("CHAOS") == "full"

func TestMain(m *testing.M) {
	flag.Parse()
	if status, done := inNamespace(); done {
		os.Exit(status)
	}
	os.Exit(run(m))
}

// envNamespace tells the test that it has mounts of its own.
const envNamespace = "PAYMUX_CHAOS_NAMESPACE"

// inNamespace runs this program again with mounts of its own, so that the small
// disk of TestDiskFull is gone with it, however it ends.
func inNamespace() (status int, done bool) {
	if os.Getenv(envNamespace) != "" || os.Getuid() != 0 {
		return 0, false
	}
	again := exec.Command("/proc/self/exe", os.Args[1:]...)
	again.Stdin, again.Stdout, again.Stderr = os.Stdin, os.Stdout, os.Stderr
	again.Env = append(os.Environ(), envNamespace+"=1")
	again.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	err := again.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(1, exit.ExitCode()), true
	}
	return 0, err == nil // without the right to do so: see TestDiskFull
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "paymux-chaos-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = dir
	for _, args := range [][]string{
		{"-o", "paymux", "host/cmd/paymux"},
		{"-tags", "failpoint", "-o", "paymux-failpoint", "host/cmd/paymux"},
		{"-o", "plugin", "providers/alipayhk/cmd/paymux-provider-alipayhk"},
	} {
		if err := build(args); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	// The points mostly wait for processes: more than one for each core.
	if parallel := flag.Lookup("test.parallel").Value; parallel.String() == fmt.Sprint(runtime.GOMAXPROCS(0)) {
		_ = parallel.Set(fmt.Sprint(6 * runtime.GOMAXPROCS(0)))
	}
	status := pgtest.Main(m)
	if !report(os.Stdout) {
		return max(1, status)
	}
	return status
}

func build(args []string) error {
	n := len(args)
	args[n-2] = filepath.Join(bin, args[n-2])
	args[n-1] = "github.com/paymux/paymux/" + args[n-1]
	cmd := exec.Command("go", append([]string{"build"}, args...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as it ships, also under the race detector
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %v: %w\n%s", args, err, out)
	}
	return nil
}
