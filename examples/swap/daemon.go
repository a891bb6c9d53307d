package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/paymux/paymux/examples/internal/process"
)

const (
	configName = "paymux.yaml"
	logName    = "paymux.log"

	reloadTime = time.Minute
)

// daemon is paymux serve.
type daemon struct {
	*process.Process
	reloads chan reloaded
}

// reloaded is what the log says of a reload.
type reloaded struct{ refusal string }

// startDaemon starts paymux serve in dir and waits until it listens.
func startDaemon(ctx context.Context, binary, dir string) (d *daemon, err error) {
	d = &daemon{reloads: make(chan reloaded, 1)}
	cmd := exec.Command(binary, "--config", configName, "serve", "--log-json")
	cmd.Dir = dir
	d.Process, err = process.Start(ctx, "paymux", cmd, filepath.Join(dir, logName), d.read)
	return d, err
}

// read looks for the end of a reload.
func (d *daemon) read(line string) {
	var entry struct {
		Message string `json:"@message"`
		Error   string `json:"error"`
	}
	if json.Unmarshal([]byte(line), &entry) != nil {
		return
	}
	switch entry.Message {
	case "the config was reloaded":
		d.tell(reloaded{})
	case "the config was not reloaded; nothing was changed":
		d.tell(reloaded{entry.Error})
	}
}

// tell never blocks: the log must be read on.
func (d *daemon) tell(r reloaded) {
	select {
	case d.reloads <- r:
	default:
	}
}

// ended says how it ended.
func (d *daemon) ended() error { return fmt.Errorf("paymux ended: %w", d.Err) }

// reload has it read its config again, and returns why it didn't take it, if so.
func (d *daemon) reload(ctx context.Context) (refusal string, err error) {
	err = d.Signal(syscall.SIGHUP)
	if errors.Is(err, os.ErrProcessDone) {
		<-d.Exited
		return "", d.ended()
	}
	if err != nil {
		return "", fmt.Errorf("tell paymux to reload: %w", err)
	}
	select {
	case r := <-d.reloads:
		return r.refusal, nil
	case <-time.After(reloadTime):
		return "", fmt.Errorf("paymux said nothing of a reload within %s", reloadTime)
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
