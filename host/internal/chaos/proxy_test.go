//go:build linux

package chaos

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
)

// cutter stands between a host and PostgreSQL, and resets a connection around
// one of its COMMITs: before the server has it, or when the server has done it
// and the host doesn't know.
type cutter struct {
	listener net.Listener
	socket   string

	mu      sync.Mutex
	commits int
	at      int  // the COMMIT to cut at; 0 for none
	done    bool // the server does it
	cut     bool // it was
}

func newCutter(t testing.TB, s *server) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{listener: l, socket: filepath.Join(s.dir, ".s.PGSQL.5432")}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go c.serve(client.(*net.TCPConn))
		}
	}()
	return c
}

// arm cuts at the nth COMMIT from now.
func (c *cutter) arm(n int, done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commits, c.at, c.done, c.cut = 0, n, done, false
}

func (c *cutter) wasCut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cut
}

// next counts a COMMIT and tells whether this is the one.
func (c *cutter) next() (now, done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commits++
	if c.commits != c.at {
		return false, false
	}
	c.cut = true
	return true, c.done
}

func (c *cutter) serve(client *net.TCPConn) {
	defer client.Close()
	server, err := net.Dial("unix", c.socket)
	if err != nil {
		return
	}
	defer server.Close()
	answers := make(chan bool, 1) // true: keep the next answer from the host
	go func() {
		defer client.Close()
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			select {
			case <-answers: // the server has answered the COMMIT
				_ = client.SetLinger(0) // a reset, not an end
				return
			default:
			}
			if _, werr := client.Write(buffer[:n]); err != nil || werr != nil {
				return
			}
		}
	}()
	_ = c.forward(bufio.NewReader(client), server, client, answers)
}

var errCut = errors.New("cut")

// forward reads the host's messages: a startup without a type, then a type and a
// length each.
func (c *cutter) forward(from *bufio.Reader, to io.Writer, client *net.TCPConn, answers chan<- bool) error {
	for header := 4; ; header = 5 {
		head := make([]byte, header)
		if _, err := io.ReadFull(from, head); err != nil {
			return err
		}
		body := make([]byte, binary.BigEndian.Uint32(head[header-4:])-4)
		if _, err := io.ReadFull(from, body); err != nil {
			return err
		}
		if header == 5 && head[0] == 'Q' && bytes.EqualFold(bytes.TrimRight(body, "\x00"), []byte("commit")) {
			switch now, done := c.next(); {
			case now && !done:
				_ = client.SetLinger(0)
				return errCut
			case now:
				answers <- true
			}
		}
		if _, err := to.Write(append(head, body...)); err != nil {
			return err
		}
	}
}
