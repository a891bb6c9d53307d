package process

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// image is a plugin's binary as it was read once: on Linux a sealed copy in
// memory, so that the bytes whose digest was taken are the bytes that run,
// whatever happens to the file.
type image struct {
	path   string
	file   fileID
	sha256 string
	sealed *os.File // nil: the file itself runs
	// unsealedWhy says why the bytes that run may be others than those whose
	// digest was taken; empty if sealed.
	unsealedWhy string
}

// command is what to execute.
func (i *image) command() string {
	if i.sealed == nil {
		return i.path
	}
	return sealedPath(i.sealed)
}

// fileID tells whether a file may have been changed: a file that was written to
// has another ctime, which nobody but root can set.
type fileID struct {
	dev, ino     uint64
	size         int64
	mtime, ctime time.Time
}

// Images keeps the newest image of each binary, so that processes of the same
// plugin share one, and a restart reads no file that didn't change.
type Images struct {
	mu     sync.Mutex
	byPath map[string]*image
}

// NewImages returns an empty cache.
func NewImages() *Images { return &Images{byPath: map[string]*image{}} }

// load returns the image of a binary. Who may write the file or exchange it is
// looked at each time.
func (all *Images) load(ctx context.Context, path string) (*image, error) {
	if err := trusted(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0) // a FIFO would wait for its writer
	if err != nil {
		return nil, fmt.Errorf("open the plugin: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return nil, fmt.Errorf("%s must be an executable file", path)
	}
	if info.Size() > largestBinary {
		return nil, fmt.Errorf("%s has %d bytes; a plugin may have %d", path, info.Size(), int64(largestBinary))
	}
	id := idOf(info)
	all.mu.Lock()
	known := all.byPath[path]
	all.mu.Unlock()
	if known != nil && known.file == id {
		return known, nil
	}
	fresh, err := readImage(ctx, path, f)
	if err != nil {
		return nil, err
	}
	fresh.file = id
	all.mu.Lock()
	defer all.mu.Unlock()
	all.byPath[path] = fresh // the one before is closed when nobody uses it any more
	return fresh, nil
}

// largestBinary bounds what a copy takes of the machine's memory.
const largestBinary = 1 << 30

// lookAt identifies a file without reading it; the zero value if there is none.
func lookAt(path string) fileID {
	info, err := os.Lstat(path)
	if err != nil {
		return fileID{}
	}
	return idOf(info)
}

func readImage(ctx context.Context, path string, f *os.File) (*image, error) {
	img := &image{path: path}
	hash := sha256.New()
	var into io.Writer = hash
	head := &bytes.Buffer{}
	source := io.TeeReader(io.LimitReader(readerWhile{ctx, f}, largestBinary), &limitedWriter{head, elfHeaderLimit})
	sealed, err := newSealable(filepath.Base(path))
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		img.unsealedWhy = "this platform can't seal it"
	case err != nil:
		return nil, fmt.Errorf("make a sealed copy of the plugin: %w", err)
	default:
		into = io.MultiWriter(hash, sealed)
	}
	_, err = io.Copy(into, source)
	if err == nil && sealed != nil {
		err = seal(sealed)
	}
	if err != nil {
		if sealed != nil {
			sealed.Close()
		}
		return nil, fmt.Errorf("read the plugin: %w", err)
	}
	img.sha256 = hex.EncodeToString(hash.Sum(nil))
	if sealed == nil {
		return img, nil
	}
	if img.unsealedWhy = noProgram(sealed, head.Bytes()); img.unsealedWhy != "" {
		sealed.Close()
		return img, nil
	}
	img.sealed = sealed
	return img, nil
}

// elfHeaderLimit is enough to see a script's first line.
const elfHeaderLimit = 256

// noProgram says why something else than a file's own bytes would run; empty for
// an ELF binary. (Of one that is dynamically linked the system's libraries are
// as trusted as the system is; see dynamic.)
func noProgram(r io.ReaderAt, head []byte) string {
	if bytes.HasPrefix(head, []byte("#!")) {
		line, _, _ := bytes.Cut(head[2:], []byte("\n"))
		return fmt.Sprintf("it is a script, run by %q", bytes.TrimSpace(line))
	}
	if _, err := elf.NewFile(r); err != nil {
		return "it is no ELF program"
	}
	return ""
}

// dynamic reports whether a program loads libraries, which its digest doesn't cover.
func (i *image) dynamic() bool {
	if i.sealed == nil {
		return false
	}
	program, err := elf.NewFile(i.sealed)
	return err == nil && slices.ContainsFunc(program.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}

// limitedWriter keeps the beginning of what is written.
type limitedWriter struct {
	to   *bytes.Buffer
	most int
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	w.to.Write(p[:min(len(p), w.most-w.to.Len())])
	return len(p), nil
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

// FileDigest returns the sha256 of a plugin's binary, as lock files have it. Who
// else may change the file is looked at as before a start.
func FileDigest(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	img, err := NewImages().load(context.Background(), path)
	if err != nil {
		return "", err
	}
	if img.sealed != nil {
		img.sealed.Close()
	}
	return img.sha256, nil
}
