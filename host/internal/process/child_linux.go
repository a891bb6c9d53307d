package process

import (
	"syscall"
	"unsafe"
)

// childAttributes puts the plugin into a process group of its own, to be killed
// as a whole, and has the kernel kill it when the host dies.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// reap waits for the end of the process and kills what it leaves behind. The
// group is killed while the process still holds its number, which would else be
// free for a stranger's group.
func (r *childRunner) reap() error {
	awaitExit(r.cmd.Process.Pid)
	r.mu.Lock()
	defer r.mu.Unlock()
	killGroup(r.cmd.Process)
	r.ended = true
	return r.cmd.Wait()
}

// awaitExit waits until a child has ended, without reaping it.
func awaitExit(pid int) {
	const byPID = 1     // P_PID
	var info [16]uint64 // a siginfo_t
	for err := syscall.EINTR; err == syscall.EINTR; {
		_, _, err = syscall.Syscall6(syscall.SYS_WAITID, byPID, uintptr(pid), uintptr(unsafe.Pointer(&info)), syscall.WEXITED|syscall.WNOWAIT, 0, 0)
	}
}
