package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paymux/paymux/host/internal/lockfile"
)

func readPins(t *testing.T, s *site) lockfile.Plugin {
	t.Helper()
	lock, err := lockfile.Read(filepath.Join(s.dir, "paymux.lock"))
	if err != nil || lock == nil {
		t.Fatalf("no lock file: %v", err)
	}
	return lock.Plugins["alipayhk"]
}

// lock, verify, another binary, verify, lock: what a release goes through.
func TestPluginsLockAndVerify(t *testing.T) {
	s := newSite(t)
	dir := copyPlugins(t)
	s.write("dir: "+pluginsDir(t), "dir: "+dir)
	s.run("plugins", "verify").want(t, exitFailed, "there is no lock file", "make one with paymux plugins lock")
	s.run("plugins", "lock").want(t, exitOK, "alipayhk", "1.0.0", "pinned", "wrote ")
	s.run("plugins", "verify").want(t, exitOK, "alipayhk", "ok")
	first := readPins(t, s).SHA256[lockfile.Platform()]
	if len(first) != 64 {
		t.Fatalf("pinned %q", first)
	}
	s.run("plugins", "lock").want(t, exitOK, "ok", first)

	appendByte(t, filepath.Join(dir, "paymux-provider-alipayhk"))
	a := s.run("plugins", "verify", "--json")
	a.want(t, exitFailed)
	var reports []pluginReport
	if err := json.Unmarshal([]byte(a.stdout), &reports); err != nil {
		t.Fatal(err)
	}
	if r := reports[0]; r.Result != resultMismatch || r.Pinned != first || r.SHA256 == first || !strings.Contains(r.Detail, "run paymux plugins lock if the change is meant") {
		t.Errorf("%+v", r)
	}
	s.run("plugins", "lock").want(t, exitOK, "changed")
	s.run("plugins", "verify").want(t, exitOK)

	if err := os.Remove(filepath.Join(dir, "paymux-provider-alipayhk")); err != nil {
		t.Fatal(err)
	}
	s.run("plugins", "verify").want(t, exitFailed, "unreadable", "no such file")
	s.run("plugins", "lock").want(t, exitFailed, "plugin alipayhk: ", "nothing was pinned")
}

func TestPluginsLockKeepsOtherPlatforms(t *testing.T) {
	const digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, tt := range []struct {
		version string
		want    string // of the other platform
		says    string
	}{
		{"1.0.0", digest, "alipayhk"},
		{"0.9.0", "", "other platforms were pinned at version 0.9.0: run plugins lock there too"},
	} {
		s := newSite(t)
		lock := lockfile.File{Plugins: map[string]lockfile.Plugin{
			"alipayhk": {Version: tt.version, SHA256: map[string]string{"plan9/mips": digest}},
			"other":    {Version: "7", SHA256: map[string]string{"plan9/mips": digest}},
		}}
		if err := lock.Write(filepath.Join(s.dir, "paymux.lock")); err != nil {
			t.Fatal(err)
		}
		s.run("plugins", "verify").want(t, exitFailed, resultUnpinned, "doesn't pin plugin alipayhk")
		s.run("plugins", "lock").want(t, exitOK, tt.says)
		if got := readPins(t, s).SHA256["plan9/mips"]; got != tt.want {
			t.Errorf("version %s: the other platform is pinned to %q, want %q", tt.version, got, tt.want)
		}
		if after, err := lockfile.Read(filepath.Join(s.dir, "paymux.lock")); err != nil || after.Plugins["other"].Version != "7" {
			t.Errorf("the pin of another plugin is lost: %v", err)
		}
	}
}

func TestPluginsLockFileThatIsNone(t *testing.T) {
	for _, tt := range []struct {
		text string
		code int
		want string
	}{
		{"<<<<<<< HEAD", exitOK, "it is made anew"},
		{`{"version":1,"plugins":{"alipayhk":{"version":"1","sha256":{"linux/amd64":"x"}}}}`, exitOK, "it is made anew"},
		{`{"version":2}`, exitFailed, "version 2 is not known"},
	} {
		s := newSite(t)
		if err := os.WriteFile(filepath.Join(s.dir, "paymux.lock"), []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		s.run("plugins", "lock").want(t, tt.code, tt.want)
	}
}

func TestPluginsAll(t *testing.T) {
	s := newSite(t)
	dir := copyPlugins(t)
	s.write("dir: "+pluginsDir(t), "dir: "+dir)
	if err := os.WriteFile(filepath.Join(dir, "paymux-provider-broken"), []byte("#!/bin/false\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.run("plugins", "lock").want(t, exitOK)
	s.run("plugins", "verify", "--all").want(t, exitFailed, "broken", resultUnpinned)
	s.run("plugins", "lock", "--all").want(t, exitFailed, "plugin broken: ", "nothing was pinned")
}
