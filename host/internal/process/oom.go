package process

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The files in which Linux counts; tests have others.
var (
	cgroupOfSelf = "/proc/self/cgroup"
	cgroupRoot   = "/sys/fs/cgroup"
)

// oomKills counts the processes of this control group that the kernel has killed
// for want of memory: plugins are in the host's group. It is 0 where that isn't
// counted.
func oomKills() int64 {
	text, err := os.ReadFile(cgroupOfSelf)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		switch parts := strings.SplitN(strings.TrimSpace(line), ":", 3); {
		case len(parts) != 3:
		case parts[0] == "0": // version 2
			if n, found := countIn(filepath.Join(cgroupRoot, parts[2], "memory.events")); found {
				return n
			}
		case parts[1] == "memory": // version 1
			if n, found := countIn(filepath.Join(cgroupRoot, "memory", parts[2], "memory.oom_control")); found {
				return n
			}
		}
	}
	return 0
}

func countIn(path string) (n int64, found bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "oom_kill "); ok {
			n, err = strconv.ParseInt(value, 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
