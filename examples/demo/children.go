package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// child is one of the programs.
type child struct {
	name    string
	command []string
	secrets map[string]string // environment variable → file
	address string
	logPath string

	url    string
	cmd    *exec.Cmd
	exited chan struct{} // closed when it has ended
	err    error         // how it ended
}

// children are in the order in which they start.
func (s *settings) children() []*child {
	return []*child{
		{
			name: "sandbox", address: s.sandbox, logPath: s.file("sandbox.log"),
			command: []string{s.binary("sandbox"), "-listen", s.sandbox, "-uid", uid, "-speedup", "10", "-state", s.file("sandbox.json")},
			secrets: map[string]string{"SANDBOX_CLIENT_SECRET": s.file(clientSecretFile), "SANDBOX_WEBHOOK_KEY": s.file(webhookKeyFile)},
		},
		{
			name: "paymux", address: s.host, logPath: s.file("paymux.log"),
			command: []string{s.binary("paymux"), "serve", "--config", s.configFile()},
		},
		{
			name: "shop", address: s.shop, logPath: s.file("shop.log"),
			command: []string{s.binary("shop"), "-listen", s.shop, "-paymux", "http://" + s.host, "-data", s.file("shop.jsonl")},
			secrets: map[string]string{"PAYMUX_API_KEY": s.file(apiKeyFile)},
		},
	}
}

// startTime is how long a program may take until it serves.
const startTime = time.Minute

// start starts the program and waits until it serves.
func (c *child) start(ctx context.Context) error {
	log, err := os.OpenFile(c.logPath, os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	c.cmd = exec.Command(c.command[0], c.command[1:]...)
	c.cmd.SysProcAttr = childAttributes()
	c.cmd.Env = os.Environ()
	for name, file := range c.secrets {
		text, err := os.ReadFile(file)
		if err != nil {
			log.Close()
			return err
		}
		c.cmd.Env = append(c.cmd.Env, name+"="+strings.TrimSpace(string(text)))
	}
	ready := &readyLine{log: log, found: make(chan string, 1)}
	c.cmd.Stdout, c.cmd.Stderr = ready, log
	c.cmd.WaitDelay = time.Second
	c.exited = make(chan struct{})
	started := make(chan error)
	go c.live(log, started)
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", c.name, err)
	}
	select {
	case c.url = <-ready.found:
		return nil
	case <-c.exited:
		return fmt.Errorf("%s ended at its start (%w):\n%s", c.name, c.err, c.lastLines())
	case <-time.After(startTime):
		return fmt.Errorf("%s did not serve within %s:\n%s", c.name, startTime, c.lastLines())
	case <-ctx.Done():
		return ctx.Err()
	}
}

// live is the life of the process, on a thread of its own: on Linux a child ends
// with the thread that started it.
func (c *child) live(log *os.File, started chan<- error) {
	runtime.LockOSThread() // never unlocked: the thread ends here
	defer close(c.exited)
	defer log.Close()
	err := c.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	if c.err = c.cmd.Wait(); c.err == nil {
		c.err = errors.New("exit status 0")
	}
}

// stop ends the program: politely, and after a while by force.
func (c *child) stop() {
	if c.cmd == nil || c.cmd.Process == nil {
		return
	}
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.exited:
	case <-time.After(stopTime):
		_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
		<-c.exited
	}
}

// stopTime is longer than what paymux gives its running calls.
const stopTime = 35 * time.Second

// stopAll stops the last one first: the shop stops asking before paymux ends.
func stopAll(family []*child) {
	for i := len(family) - 1; i >= 0; i-- {
		family[i].stop()
	}
}

// lastLines are the end of the program's log.
func (c *child) lastLines() string {
	text, _ := os.ReadFile(c.logPath)
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return "    " + strings.Join(lines[max(0, len(lines)-8):], "\n    ")
}

// obituaries say of each program that has ended how, and what it said last.
func obituaries(family []*child) string {
	var b strings.Builder
	for _, c := range family {
		select {
		case <-c.exited:
			fmt.Fprintf(&b, "\n%s ended (%v):\n%s", c.name, c.err, c.lastLines())
		default:
		}
	}
	return b.String()
}

// again is the command by which a person starts the program by hand.
func (c *child) again() string {
	var b strings.Builder
	for _, name := range []string{"SANDBOX_CLIENT_SECRET", "SANDBOX_WEBHOOK_KEY", "PAYMUX_API_KEY"} {
		if file := c.secrets[name]; file != "" {
			fmt.Fprintf(&b, "%s=$(cat %s) ", name, quote(file))
		}
	}
	for i, word := range c.command {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(quote(word))
	}
	return b.String()
}

// quote makes one word of the shell of a text.
func quote(word string) string {
	special := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_./:=", r)
	}
	if !strings.ContainsFunc(word, special) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// watch tells when a program ends and when somebody has started it again.
func watch(ctx context.Context, family []*child, out *narrator) {
	var all sync.WaitGroup
	for _, c := range family {
		all.Go(func() {
			select {
			case <-ctx.Done():
				return
			case <-c.exited:
			}
			if ctx.Err() != nil {
				return
			}
			out.printf("\n%s ended (%v). It said last:\n%s\n%s", c.name, c.err, c.lastLines(), c.wayBack())
			// From here on it is somebody else's process: only its port tells.
			for c.serves(ctx, true) {
				out.printf("\n%s is back. You started it, so Ctrl-C here doesn't end it.\n", c.name)
				if c.serves(ctx, false) {
					out.printf("\n%s is gone again. %s", c.name, c.wayBack())
				}
			}
		})
	}
	<-ctx.Done()
	all.Wait()
}

func (c *child) wayBack() string { return "Start it again with:\n  " + c.again() + "\n" }

// serves waits until the program's port answers, or until it doesn't, and reports
// whether that came before the end.
func (c *child) serves(ctx context.Context, wanted bool) bool {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
			conn, err := net.DialTimeout("tcp", c.address, time.Second)
			if err == nil {
				conn.Close()
			}
			if (err == nil) == wanted {
				return true
			}
		}
	}
}

// readyLine logs and looks for the address that a program prints once it serves.
type readyLine struct {
	log   *os.File
	text  bytes.Buffer
	found chan string
	done  bool
}

func (r *readyLine) Write(p []byte) (int, error) {
	if !r.done {
		r.text.Write(p)
		if _, rest, ok := bytes.Cut(r.text.Bytes(), []byte("listening on ")); ok && bytes.ContainsAny(rest, "\n") {
			r.found <- string(bytes.Fields(rest)[0])
			r.done = true
		}
	}
	return r.log.Write(p)
}
