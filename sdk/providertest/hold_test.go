package providertest

import (
	"net"
	"testing"
)

// A port that is held refuses connections, though its connections haven't ended.
func TestHold(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, ok := hold(l.Addr().String()); ok {
		t.Error("what is somebody's is held")
	}
	open, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = accepted.Close(), l.Close()
	release, ok := hold(l.Addr().String())
	defer release()
	if !ok {
		t.Error("it can't be held")
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		c.Close()
		t.Error("somebody answers")
	}
}
