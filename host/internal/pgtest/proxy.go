package pgtest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Fate is what becomes of a COMMIT on its way through a Proxy.
type Fate int

// The fates.
const (
	Passes       Fate = iota
	Vanishes          // the connection breaks before the server hears of it
	LosesAnswer       // it commits, and the connection breaks before the client hears of it
	StandsBefore      // the client's connection breaks, the server's stays open without it
	BreaksAfter       // the connection breaks once the server has it, whatever becomes of it
)

// Proxy stands between clients and a server.
type Proxy struct {
	server, dir string
	listener    net.Listener
	fate        func() Fate

	mu     sync.Mutex
	closed bool
	open   map[net.Conn]struct{}
	run    sync.WaitGroup
}

// NewProxy returns the URL of the same database by a way on which fate decides
// on each COMMIT, for as long as it likes.
func NewProxy(t testing.TB, url string, fate func() Fate) (proxied string) {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(filepath.Dir(config.Host), "pgproxy-")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{server: filepath.Join(config.Host, ".s.PGSQL.5432"), dir: dir, fate: fate, open: map[net.Conn]struct{}{}}
	if p.listener, err = net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432")); err != nil {
		t.Fatal(err)
	}
	p.run.Go(p.accept)
	t.Cleanup(func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
	return socketURL(dir, config.Database)
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", p.server)
		if err != nil {
			client.Close() // the client learns as much from the server
			continue
		}
		if p.keep(client) && p.keep(server) {
			link := &link{p: p, client: client, server: server}
			p.run.Go(link.answers)
			p.run.Go(func() { _ = link.requests() })
		}
	}
}

// keep remembers a connection, to close it in the end.
func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		c.Close()
		return false
	}
	p.open[c] = struct{}{}
	return true
}

func (p *Proxy) close() error {
	err := p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.open {
		c.Close()
	}
	p.mu.Unlock()
	p.run.Wait()
	return errors.Join(err, os.RemoveAll(p.dir))
}

// link is one connection through the proxy.
type link struct {
	p              *Proxy
	client, server net.Conn

	mu   sync.Mutex
	lost bool // the next answer breaks it
}

func (l *link) cut() {
	l.client.Close()
	l.server.Close()
}

func (l *link) answers() {
	defer l.client.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := l.server.Read(buffer)
		l.mu.Lock()
		lost := l.lost
		l.mu.Unlock()
		if lost || err != nil {
			return
		}
		if _, err := l.client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// requests reads the client's messages. The first has no type, each other has
// one; a length counts itself.
func (l *link) requests() error {
	in := bufio.NewReader(l.client)
	head := make([]byte, 4)
	for first := true; ; first = false {
		kind := 0
		if !first {
			head = make([]byte, 5)
			kind = 1
		}
		if _, err := io.ReadFull(in, head); err != nil {
			l.server.Close()
			return err
		}
		message := append(head, make([]byte, binary.BigEndian.Uint32(head[kind:])-4)...)
		if _, err := io.ReadFull(in, message[len(head):]); err != nil {
			l.cut()
			return err
		}
		fate := Passes
		if !first && isCommit(message) {
			fate = l.p.fate()
		}
		switch fate {
		case Vanishes:
			l.cut()
			return nil
		case StandsBefore:
			return l.client.Close()
		case LosesAnswer:
			l.mu.Lock()
			l.lost = true
			l.mu.Unlock()
		}
		if _, err := l.server.Write(message); err != nil || fate == BreaksAfter {
			l.cut()
			return err
		}
	}
}

// isCommit tells of a simple query, by which pgx commits.
func isCommit(message []byte) bool {
	return message[0] == 'Q' && strings.EqualFold(strings.TrimRight(string(message[5:]), "\x00; "), "commit")
}
