package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// byHand starts the plugin as docs/debug.md says, once the host has written its
// environment. The channel gives the process.
func (s *site) byHand(file string, args ...string) <-chan *exec.Cmd {
	s.t.Helper()
	shell := append([]string{"-c", `. "$0" && exec "$@" >"$PAYMUX_HANDSHAKE"`, file, filepath.Join(pluginsDir(s.t), "paymux-provider-alipayhk")}, args...)
	cmd := exec.Command("/bin/sh", shell...)
	cmd.Env = []string{}
	out := make(chan *exec.Cmd, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			if text, _ := os.ReadFile(file); strings.HasSuffix(string(text), "'\n") {
				break
			}
			select {
			case <-tick.C:
			case <-s.t.Context().Done():
				return
			}
		}
		if err := cmd.Start(); err != nil {
			s.t.Error(err)
			return
		}
		out <- cmd
		_ = cmd.Wait()
	}()
	s.t.Cleanup(func() {
		select {
		case cmd := <-out:
			_ = cmd.Process.Kill()
		default:
		}
		<-ended
	})
	return out
}

// A payment through a plugin that was started by hand and records.
func TestServeAttach(t *testing.T) {
	s := newSite(t)
	file, transcript := filepath.Join(s.dir, "alipayhk.env"), filepath.Join(s.dir, "transcript.jsonl")
	s.byHand(file, "--paymux-record="+transcript)
	r := s.serve("--attach", "alipayhk="+file)
	r.stderr.wait(t, "PLUGIN IS ATTACHED BY HAND", file)
	r.stderr.wait(t, "plugin started")
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C { // a plugin that was late is set up by a later call
		a := r.run("payments", "create", "--url", r.url, "--amount", "20.00", "--method", "alipay_hk")
		if a.code == exitOK {
			break
		}
		if !strings.Contains(a.stderr, "PLUGIN_UNAVAILABLE") || time.Now().After(end) {
			t.Fatalf("create: %s", a.stderr)
		}
	}
	r.run("providers", "status", "--url", r.url).want(t, exitOK, "attached by hand", "  running  -  ")
	if code := r.stop(); code != exitOK {
		t.Errorf("a clean stop ended with %d:\n%s", code, r.stderr)
	}
	text, err := os.ReadFile(transcript)
	if err != nil || strings.Count(string(text), "\n") < 2 || !strings.Contains(string(text), `"access_token\":\"[redacted]`) {
		t.Errorf("%v in the transcript:\n%s", err, text)
	}
	noSecret(t, string(text))
}

func TestServeAttachRefuses(t *testing.T) {
	s := newSite(t)
	s.run("serve", "--attach", "stripe=x.env").want(t, exitUsage, `plugin "stripe" can't be attached`)
	s.run("serve", "--attach", "alipayhk=").want(t, exitUsage, "--attach alipayhk needs a file")
	s.run("serve", "--attach", "alipayhk").want(t, exitUsage, "attach")
	s.write("    plugin: alipayhk\n", "    plugin: alipayhk\n    process: own\n")
	s.run("serve", "--attach", "alipayhk=x.env").want(t, exitUsage, `plugin "alipayhk" can't be attached`)
}
