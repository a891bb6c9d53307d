package process

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// Exit is how a process ended.
type Exit struct {
	At     time.Time `json:"at"`
	Code   int       `json:"code"` // -1 when ended by a signal, or not known
	Signal string    `json:"signal,omitempty"`
	ByHost bool      `json:"by_host,omitempty"` // the host killed it
	// Attached: it was started by hand; all that is known is that its connection ended.
	Attached bool     `json:"attached,omitempty"`
	OOM      bool     `json:"oom_kill,omitempty"` // the kernel did, for want of memory
	MaxRSS   int64    `json:"max_rss_kib,omitempty"`
	LastLog  []string `json:"last_log,omitempty"` // redacted
}

// String says it in a line.
func (e Exit) String() string {
	if e.Attached {
		return "was attached by hand, and is gone"
	}
	how := fmt.Sprintf("exited with code %d", e.Code)
	if e.Signal != "" {
		how = "was killed by signal: " + e.Signal
	}
	switch {
	case e.ByHost:
		how += " (by the host)"
	case e.OOM:
		how += fmt.Sprintf(" (out of memory; it had %d MiB)", e.MaxRSS>>10)
	}
	if len(e.LastLog) > 0 {
		how += "; last log lines: " + strings.Join(e.LastLog, " / ")
	}
	return how
}

// describeExit puts an end into words. oomBefore is the count of the kernel's
// kills for want of memory when the process was started.
func describeExit(state *os.ProcessState, err error, lastLog []string, oomBefore int64) Exit {
	e := Exit{At: time.Now().UTC(), Code: -1, LastLog: lastLog}
	if state == nil { // it was never reaped
		e.LastLog = append(e.LastLog, fmt.Sprint(err))
		return e
	}
	e.Code = state.ExitCode()
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		e.Signal = ws.Signal().String()
		e.OOM = ws.Signal() == syscall.SIGKILL && oomKills() > oomBefore
	}
	if ru, ok := state.SysUsage().(*syscall.Rusage); ok {
		e.MaxRSS = int64(ru.Maxrss)
	}
	return e
}

// killGroup kills a process and all in its group. The number must still be its
// own: see childRunner.reap. The process is killed by itself too, since it may
// have gone over to another group.
func killGroup(process *os.Process) {
	_ = syscall.Kill(-process.Pid, syscall.SIGKILL) // gone already is fine
	_ = process.Kill()
}
