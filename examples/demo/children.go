package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/paymux/paymux/examples/internal/process"
)

// child is one of the programs.
type child struct {
	name    string
	command []string
	secrets map[string]string // environment variable → file
	address string
	logPath string

	*process.Process // nil until it was started
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

// start starts the program and waits until it serves.
func (c *child) start(ctx context.Context) (err error) {
	cmd := exec.Command(c.command[0], c.command[1:]...)
	cmd.Env = os.Environ()
	for name, file := range c.secrets {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		cmd.Env = append(cmd.Env, name+"="+strings.TrimSpace(string(text)))
	}
	c.Process, err = process.Start(ctx, c.name, cmd, c.logPath, nil)
	return err
}

// stopAll stops the last one first: the shop stops asking before paymux ends.
func stopAll(family []*child) {
	for i := len(family) - 1; i >= 0; i-- {
		if family[i].Process != nil {
			family[i].Stop()
		}
	}
}

// obituaries say of each program that has ended how, and what it said last.
func obituaries(family []*child) string {
	var b strings.Builder
	for _, c := range family {
		select {
		case <-c.Exited:
			fmt.Fprintf(&b, "\n%s ended (%v):\n%s", c.name, c.Err, c.LastLines())
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
			case <-c.Exited:
			}
			if ctx.Err() != nil {
				return
			}
			out.printf("\n%s ended (%v). It said last:\n%s\n%s", c.name, c.Err, c.LastLines(), c.wayBack())
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
