package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const maxConfigFile = 16 << 20 // ten thousand accounts take two

var errTooLarge = errors.New("file is too large")

// Option changes how [Load] reads a file.
type Option func(*sources)

// WithEnv makes ${env:NAME} ask lookup instead of the process environment.
func WithEnv(lookup func(string) (string, bool)) Option {
	return func(s *sources) { s.env = lookup }
}

// Load reads and checks the file at path. A file that cannot be read gives the
// operating system's error; one with mistakes gives [Errors].
func Load(path string, opts ...Option) (*Config, error) {
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	data, err := readConfig(path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	src := sources{env: os.LookupEnv, file: readSecretFile}
	for _, opt := range opts {
		opt(&src)
	}
	return parse(path, data, dir, src)
}

// Parse checks data as a config file called name, whose relative paths start at
// dir. ${env:NAME} asks lookupEnv; without one no variable is set. Mistakes are
// returned as [Errors].
func Parse(name string, data []byte, dir string, lookupEnv func(string) (string, bool)) (*Config, error) {
	return parse(name, data, dir, sources{env: lookupEnv, file: readSecretFile})
}

func parse(name string, data []byte, dir string, src sources) (*Config, error) {
	l := &loader{name: name, dir: dir, src: src}
	root := l.document(data)
	if root == nil {
		return nil, l.errors()
	}
	l.strict(root)
	cfg := l.config(value{node: root})
	if err := l.errors(); err != nil {
		return nil, err
	}
	sortProblems(l.warnings)
	cfg.Dir, cfg.name, cfg.root = dir, name, root
	cfg.warnings, cfg.secrets = l.warnings, l.secretList()
	return cfg, nil
}

// readConfig reads one byte more than is allowed, for document to refuse.
func readConfig(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxConfigFile+1))
}

// readSecretFile reads what ${file:PATH} names.
func readSecretFile(path string) ([]byte, error) {
	// Opening a pipe would wait for a writer, perhaps for ever, during a reload.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err == nil && len(data) > maxSecretFile {
		err = errTooLarge
	}
	return data, err
}
