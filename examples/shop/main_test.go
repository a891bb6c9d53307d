package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func env(key string) func(string) string {
	return func(name string) string {
		if name == "PAYMUX_API_KEY" {
			return key
		}
		return ""
	}
}

func TestRunServesUntilTold(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	var stderr syncBuffer
	api := newFakeAPI(t)
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"-listen", "127.0.0.1:0", "-paymux", api.srv.URL}, env(testKey), in, &stderr)
		in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err, <-done)
	}
	base, ok := strings.CutPrefix(strings.TrimSpace(line), "shop: listening on ")
	if !ok || strings.HasSuffix(base, ":0") {
		t.Fatalf("printed %q", line)
	}
	resp, err := http.Get(base + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Errorf("healthz: HTTP %d", resp.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if strings.Contains(stderr.String(), testKey) {
		t.Error("the key was printed")
	}
}

func TestRunRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		key  string
		want string
	}{
		"no key":      {nil, "", "PAYMUX_API_KEY"},
		"bad paymux":  {[]string{"-paymux", "localhost"}, testKey, "-paymux"},
		"bad public":  {[]string{"-listen", "127.0.0.1:0", "-public-url", "shop.example"}, testKey, "-public-url"},
		"bad listen":  {[]string{"-listen", "nowhere"}, testKey, "nowhere"},
		"argument":    {[]string{"now"}, testKey, `"now"`},
		"flag":        {[]string{"-api-key", "x"}, testKey, "-api-key"},
		"bad journal": {[]string{"-data", t.TempDir()}, testKey, "directory"},
	} {
		err := run(t.Context(), c.args, env(c.key), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), testKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPublicURL(t *testing.T) {
	for addr, want := range map[string]string{"127.0.0.1:8070": "http://127.0.0.1:8070", "[::]:8070": "http://127.0.0.1:8070", "[::1]:9": "http://[::1]:9"} {
		tcp, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := publicURL("", tcp); err != nil || got.String() != want {
			t.Errorf("%s: %v, %v", addr, got, err)
		}
	}
}
