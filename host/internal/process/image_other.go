//go:build unix && !linux

package process

import (
	"errors"
	"os"
	"syscall"
)

// canSeal: the platform has sealed files in memory.
const canSeal = false

// newSealable: outside Linux no file can be sealed. The digest is checked
// immediately before the start, and whoever may write the file can be faster.
func newSealable(string) (*os.File, error) { return nil, errors.ErrUnsupported }

func seal(*os.File) error { return errors.ErrUnsupported }

func sealedPath(f *os.File) string { return f.Name() }

func idOf(info os.FileInfo) fileID {
	id := fileID{size: info.Size(), mtime: info.ModTime()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		id.dev, id.ino = uint64(st.Dev), st.Ino
	}
	return id
}
