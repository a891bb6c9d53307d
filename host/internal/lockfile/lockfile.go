// Package lockfile reads and writes paymux.lock, which pins each plugin's
// version and the sha256 of its binary per operating system and architecture.
package lockfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"

	strict "github.com/go-json-experiment/json"
)

// File is a lock file. JSON, so that review shows a change as one line.
type File struct {
	Version int               `json:"version"`
	Plugins map[string]Plugin `json:"plugins"`
}

// Plugin is what is pinned of one plugin.
type Plugin struct {
	Version string            `json:"version"`
	SHA256  map[string]string `json:"sha256"` // by platform, such as linux/amd64
}

const version = 1

// Platform is this program's, as lock files name it.
func Platform() string { return runtime.GOOS + "/" + runtime.GOARCH }

// Read reads a lock file; without one it returns nil and no error.
func Read(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var f File
	// Strict: a pin must not get lost in a misspelt or repeated name.
	if err := strict.Unmarshal(text, &f, strict.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("%s: not a lock file: %w; write it again with paymux plugins lock", path, err)
	}
	if f.Version != version {
		return nil, fmt.Errorf("%s: version %d is not known to this paymux (it knows %d)", path, f.Version, version)
	}
	for plugin, p := range f.Plugins {
		for platform, digest := range p.SHA256 {
			if !digestPattern.MatchString(digest) {
				return nil, fmt.Errorf("%s: plugins.%s.sha256.%s must be 64 hex digits in lower case; write it again with paymux plugins lock", path, plugin, platform)
			}
		}
	}
	return &f, nil
}

var digestPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Digest returns what a plugin is pinned to on this platform. Without a lock
// file nothing is; with one, a plugin that isn't in it is an error.
func (f *File) Digest(plugin string) (string, error) {
	if f == nil {
		return "", nil
	}
	digest := f.Plugins[plugin].SHA256[Platform()]
	if digest == "" {
		return "", fmt.Errorf("the lock file doesn't pin plugin %s for %s; run paymux plugins lock", plugin, Platform())
	}
	return digest, nil
}

// Pin records a plugin for this platform.
func (f *File) Pin(plugin, pluginVersion, digest string) {
	if f.Plugins == nil {
		f.Plugins = map[string]Plugin{}
	}
	p := f.Plugins[plugin]
	if p.SHA256 == nil || p.Version != pluginVersion {
		p = Plugin{Version: pluginVersion, SHA256: map[string]string{}} // other platforms had another version
	}
	p.SHA256[Platform()] = digest
	f.Plugins[plugin] = p
}

// Write replaces the file as a whole: who reads it meanwhile sees the old one or
// the new one.
func (f *File) Write(path string) error {
	f.Version = version
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".paymux-lock-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(append(text, '\n'))
	if err := errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
