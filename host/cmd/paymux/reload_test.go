package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/paymux/paymux/host"
)

// hangup has the host reload its config and waits for what the log says of it.
func (r *running) hangup(want ...string) {
	r.t.Helper()
	from := len(r.stderr.String())
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		r.t.Fatal(err)
	}
	r.stderr.waitFrom(r.t, from, want...)
}

// status is what the host says of its only provider.
func (r *running) status() host.ProviderInfo {
	r.t.Helper()
	a := r.run("providers", "status", "--json", "--url", r.url)
	a.want(r.t, exitOK)
	var page struct{ Data []host.ProviderInfo }
	if err := json.Unmarshal([]byte(a.stdout), &page); err != nil || len(page.Data) == 0 {
		r.t.Fatalf("%v in %s", err, a.stdout)
	}
	return page.Data[0]
}

// A changed config is taken up as a whole; one that isn't right changes nothing.
func TestReload(t *testing.T) {
	s := newSite(t)
	r := s.serve()
	first := r.create()
	const keyB = "key-of-shop-b-0123456789"
	s.write("api_keys: [", "api_keys: [{merchant: shop-b, key: "+keyB+"}, ")
	r.hangup("the config was reloaded")
	s.env["PAYMUX_API_KEY"] = keyB
	r.run("payments", "get", first.ID, "--url", r.url).want(t, exitFailed, "NOT_FOUND") // it is known, and another merchant
	s.env["PAYMUX_API_KEY"] = testKey                                                   // the file is wrong from here on

	s.write("uid: ", "uidd: ")
	r.hangup("the config was not reloaded; nothing was changed", "paymux.yaml:10:", "unknown key")
	s.write("  cbtis:", "  other:", "providers: [cbtis]", "providers: [other]")
	r.hangup("not reloaded", "cbtis is dropped, but 1 payment(s) of it haven't ended")
	s.write("webhook_keys", "webhook_keys: [x-x-x-x-x], webhook_keys")
	r.hangup("not reloaded", "paymux.yaml")
	if p := r.create(); p.Status != "PENDING" {
		t.Errorf("payment is %s", p.Status)
	}
	r.run("providers", "status", "--url", r.url).want(t, exitOK, "cbtis", "alipayhk 1.0.0", "running", "closed", "ok")
}

// A new binary takes over only once it is healthy; the one before stays ready,
// and is back at once.
func TestSwapPlugin(t *testing.T) {
	s := newSite(t)
	dir := copyPlugins(t)
	s.write("dir: "+pluginsDir(t), "dir: "+dir)
	s.run("plugins", "lock").want(t, exitOK)
	lock := filepath.Join(s.dir, "paymux.lock")
	pinned, err := os.ReadFile(lock)
	if err != nil {
		t.Fatal(err)
	}
	r := s.serve()
	old := r.status()
	r.create()

	binary := filepath.Join(dir, "paymux-provider-alipayhk")
	appendByte(t, binary)
	r.hangup("the config was reloaded") // it is pinned to the old one, which runs
	if now := r.status(); now.Process.PID != old.Process.PID {
		t.Error("an unpinned binary took over")
	}
	s.run("plugins", "lock").want(t, exitOK, "changed")
	r.hangup("plugin is replaced", "the config was reloaded")
	now := r.status()
	if now.Process.PID == old.Process.PID || now.Process.SHA256 == old.Process.SHA256 || !now.Ready || now.Process.Restarts != 0 {
		t.Errorf("it isn't the new one: %+v", now.Process)
	}
	r.create()

	if err := os.WriteFile(binary+".new", []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(binary+".new", binary); err != nil {
		t.Fatal(err)
	}
	digest := now.Process.SHA256
	if err := os.WriteFile(lock, []byte(strings.ReplaceAll(string(pinned), old.Process.SHA256, strings.Repeat("0", 64))), 0o600); err != nil {
		t.Fatal(err)
	}
	r.hangup("the config was not reloaded; nothing was changed", "the new plugin doesn't start, the old one goes on")
	if again := r.status(); again.Process.SHA256 != digest || again.Process.PID != now.Process.PID {
		t.Errorf("it was changed: %+v", again.Process)
	}

	if err := os.WriteFile(lock, pinned, 0o600); err != nil { // whatever the file is now
		t.Fatal(err)
	}
	r.hangup("plugin is replaced", "the config was reloaded")
	if back := r.status(); back.Process.PID != old.Process.PID || !back.Ready {
		t.Errorf("the old one isn't back: %+v", back.Process)
	}
	r.create()
	if code := r.stop(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	for _, pid := range []int{old.Process.PID, now.Process.PID} {
		if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
			t.Errorf("process %d is still there: %v", pid, err)
		}
	}
}

// Without a lock file a restart takes up whatever binary is there: what the one
// before said of itself doesn't hold any more.
func TestExchangedPluginDescribesItself(t *testing.T) {
	s := newSite(t)
	dir := copyPlugins(t)
	s.write("dir: "+pluginsDir(t), "dir: "+dir)
	r := s.serve()
	old := r.status().Process
	appendByte(t, filepath.Join(dir, "paymux-provider-alipayhk"))
	from := len(r.stderr.String())
	if err := syscall.Kill(old.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.stderr.waitFrom(t, from, "plugin started")
	if p := r.create(); p.Status != "PENDING" {
		t.Errorf("payment is %s", p.Status)
	}
	r.stderr.waitFrom(t, from, "provider is ready")
	if now := r.status().Process; now.SHA256 == old.SHA256 {
		t.Error("the old one runs")
	}
}
