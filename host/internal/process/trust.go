package process

import (
	"fmt"
	"os"
	"path/filepath"
)

const othersWrite = 0o002

// trusted refuses a binary that a stranger could exchange: the digest is only
// checked when there is a lock file, and even then an exchange takes the
// provider down.
func trusted(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("open the plugin: %w", err)
	}
	if info.Mode()&os.ModeSymlink != 0 {
		return fmt.Errorf("%s is a symbolic link: what it points to can change without a trace here; put the binary itself there", path)
	}
	if info.Mode().IsRegular() && info.Mode()&othersWrite != 0 {
		return fmt.Errorf("%s may be written by everybody; run chmod o-w %[1]s", path)
	}
	dir := filepath.Dir(path)
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	for _, each := range []string{dir, resolved} { // a link on the way is as safe as the directory it is in
		if err := trustedDir(each); err != nil {
			return err
		}
	}
	return nil
}

// trustedDir refuses a directory in which everybody may exchange files, and one
// that lies in such a directory. The sticky bit keeps strangers from exchanging
// a directory, as it does in /tmp, but not from adding plugins.
func trustedDir(dir string) error {
	for at, own := dir, true; ; at, own = filepath.Dir(at), false {
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		sticky := info.Mode()&os.ModeSticky != 0
		if info.Mode()&othersWrite != 0 && (own || !sticky) {
			return fmt.Errorf("the directory %s may be written by everybody, who could exchange the plugin in %s; run chmod o-w %[1]s", at, dir)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}
