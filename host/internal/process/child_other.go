//go:build unix && !linux

package process

import "syscall"

// childAttributes puts the plugin into a process group of its own. Outside
// Linux there is no signal at the parent's death: a killed host leaves plugins.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// reap waits for the end of the process and kills what it leaves behind.
func (r *childRunner) reap() error {
	err := r.cmd.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	killGroup(r.cmd.Process)
	r.ended = true
	return err
}
