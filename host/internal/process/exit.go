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
	At      time.Time `json:"at"`
	Code    int       `json:"code"` // -1 when ended by a signal
	Signal  string    `json:"signal,omitempty"`
	MaxRSS  int64     `json:"max_rss_kib,omitempty"`
	LastLog []string  `json:"last_log,omitempty"` // redacted
}

// String says it in a line.
func (e Exit) String() string {
	how := fmt.Sprintf("exited with code %d", e.Code)
	if e.Signal != "" {
		how = "was killed by signal: " + e.Signal
	}
	if len(e.LastLog) > 0 {
		how += "; last log lines: " + strings.Join(e.LastLog, " / ")
	}
	return how
}

func describeExit(state *os.ProcessState, err error, lastLog []string) Exit {
	e := Exit{At: time.Now(), Code: -1, LastLog: lastLog}
	if state == nil { // it was never reaped
		e.LastLog = append(e.LastLog, fmt.Sprint(err))
		return e
	}
	e.Code = state.ExitCode()
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		e.Signal = ws.Signal().String()
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
