//go:build failpoint

// Package failpoint marks the places at which the chaos tests kill the host.
// Without the build tag "failpoint" a mark compiles to nothing.
package failpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The environment of a host that is tested. It is read once.
const (
	envKill = "PAYMUX_FAILPOINT"     // NAME:N kills the process at the Nth hit of NAME
	envLog  = "PAYMUX_FAILPOINT_LOG" // a file that gets a line with the name of each hit
)

// early is what an answer gets to go out that was given too early: before what
// it says is durable. This goroutine stands still meanwhile.
const early = 30 * time.Millisecond

var (
	mu     sync.Mutex
	counts = map[string]int{}
	target = os.Getenv(envKill)
	log    = openLog(os.Getenv(envLog))
)

func openLog(path string) *os.File {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", envLog, err))
	}
	return f
}

// Hit marks a place.
func Hit(name string) {
	mu.Lock()
	counts[name]++
	n := counts[name]
	if log != nil {
		_, _ = fmt.Fprintln(log, name)
	}
	mu.Unlock()
	if want, at, _ := strings.Cut(target, ":"); want == name && at == strconv.Itoa(n) {
		time.Sleep(early)
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // not one step further
	}
}
