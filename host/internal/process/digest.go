package process

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"syscall"
)

// fileDigest returns the sha256 of a plugin's binary, in hex.
func fileDigest(ctx context.Context, path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO would wait for its writer
	if err != nil {
		return "", fmt.Errorf("open the plugin: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return "", fmt.Errorf("%s must be an executable file", path)
	}
	h := sha256.New()
	if _, err := io.Copy(h, readerWhile{ctx, f}); err != nil {
		return "", fmt.Errorf("read the plugin: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// readerWhile reads until its context ends: a file may be endless.
type readerWhile struct {
	ctx context.Context
	io.Reader
}

func (r readerWhile) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// FileDigest returns the sha256 of a plugin's binary, as lock files have it.
func FileDigest(path string) (string, error) { return fileDigest(context.Background(), path) }
