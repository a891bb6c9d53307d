//go:build unix && !linux

package process

import "syscall"

// childAttributes puts the plugin into a process group of its own. Outside
// Linux there is no signal at the parent's death: a killed host leaves plugins.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
