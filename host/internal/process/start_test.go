package process

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/paymux/paymux/sdk"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// The plugin serves; it knows nothing of the host but what the protocol says.
func TestStart(t *testing.T) {
	t.Setenv("PAYMUX_API_KEY", "a secret of the host")
	s := start(t, "good", nil)
	service, err := s.Service(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := service.Describe(t.Context(), &pb.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Split(answer.GetAcquirer(), "\n")
	env := strings.Fields(said[0])
	slices.Sort(env)
	want := []string{"PAYMUX_PROVIDER", "PLUGIN_CLIENT_CERT", "PLUGIN_MAX_PORT", "PLUGIN_MIN_PORT", "PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_UNIX_SOCKET_DIR"}
	if !slices.Equal(env, want) {
		t.Errorf("its environment is %v, want %v", env, want)
	}
	if filepath.Dir(said[1]) != s.tmp || said[2] != os.DevNull {
		t.Errorf("its directory is %s and its stdin %s; want one in %s, and nothing", said[1], said[2], s.tmp)
	}
	if info, err := os.Stat(said[1]); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("others may use its socket: %v, %v", info.Mode(), err)
	}
	st := s.Status()
	if !st.Running || st.PID == 0 || st.Since.IsZero() || st.Restarts != 0 || st.Pinned || len(st.SHA256) != 64 || st.Error != "" || st.LastExit != nil {
		t.Errorf("status %+v", st)
	}
	s.Stop()
	if st := s.Status(); st.Running || st.LastExit == nil || st.LastExit.Code != 0 || !strings.Contains(st.Error, "stopped") {
		t.Errorf("status after Stop %+v", st)
	}
	if !gone(st.PID) {
		t.Error("it runs on")
	}
	_, err = s.Service(t.Context())
	if e := sdk.AsError(err); e == nil || e.Outcome != sdk.OutcomeNotSent || e.Code != sdk.CodeShuttingDown {
		t.Errorf("Service after Stop: %v", err)
	}
}

func TestStartByRelativePath(t *testing.T) {
	s := start(t, "good", func(o *Options) {
		t.Chdir(filepath.Dir(o.Path))
		o.Path = "./good"
	})
	s.running(t)
}

func TestDigest(t *testing.T) {
	digest, err := FileDigest(built)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("pinned", func(t *testing.T) {
		s := start(t, "good", func(o *Options) { o.SHA256 = digest })
		s.running(t)
		if st := s.Status(); !st.Pinned || st.SHA256 != digest {
			t.Errorf("status %+v", st)
		}
	})
	other := strings.Repeat("0", 64)
	s := start(t, "good", func(o *Options) { o.SHA256 = other })
	why := s.failsToStart(t)
	for _, want := range []string{digest, other, "paymux plugins lock", "good"} {
		if !strings.Contains(why, want) {
			t.Errorf("the error lacks %q: %s", want, why)
		}
	}
	if st := s.Status(); st.Running || st.PID != 0 || !st.Pinned {
		t.Errorf("status %+v", st)
	}
}

// The binary is looked at before each start, not only the first.
func TestDigestOfAnExchangedBinary(t *testing.T) {
	digest, err := FileDigest(built)
	if err != nil {
		t.Fatal(err)
	}
	var path string
	s := start(t, "good", func(o *Options) { o.SHA256, path = digest, o.Path })
	pid := s.running(t)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexit 0\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	kill(t, pid)
	if why := s.failsToStart(t); !strings.Contains(why, "the lock file pins "+digest) {
		t.Error(why)
	}
}

// A plugin that can't be started is told apart, is tried again, and leaves
// nothing behind, however often.
func TestStartFails(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"exits", "it exited with code 3; last log lines: the licence has run out"},
		{"crashes", "it was killed by signal: terminated"},
		{"silent", "did not become ready within 500ms"},
		{"deaf", "did not become ready within 500ms"},
		{"closes", "Failed to read any lines"},
		{"garbage", "Failed to read any lines"},
		{"elsewhere", "must listen on a unix socket in its own directory, not on tcp 127.0.0.1:1"},
		{"other-dir", "must listen on a unix socket in its own directory"},
		{"netrpc", `unsupported plugin protocol "netrpc"`},
		{"dies", "it ended while it started; it exited with code 0"},
		{"protocol", "ncompatible"},
		{"unhealthy", "its health is NOT_SERVING"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, tt.name, func(o *Options) {
				if strings.Contains(tt.want, "500ms") {
					o.policy.start = 500 * time.Millisecond
				}
				o.policy.wait = 10 * time.Millisecond
			})
			why := s.failsToStart(t)
			if !strings.Contains(why, tt.want) || !strings.Contains(why, tt.name) || strings.Contains(why, "\n") {
				t.Errorf("the error must name the binary and say %q: %q", tt.want, why)
			}
			_, err := s.Service(t.Context())
			if e := sdk.AsError(err); e == nil || e.Outcome != sdk.OutcomeNotSent || e.Code != sdk.CodePluginUnavailable || e.RetryAfter <= 0 {
				t.Errorf("Service: %v", err)
			}
			eventually(t, "further tries", func() bool { return strings.Count(s.log.String(), "did not start") >= 3 })
			if st := s.Status(); st.Running || st.Restarts != 0 || st.PID != 0 {
				t.Errorf("status %+v", st)
			}
		})
	}
}

// What a plugin says of itself while it starts is cleaned like its log.
func TestStartErrorIsRedacted(t *testing.T) {
	s := start(t, "elsewhere", func(o *Options) {
		o.Redact = func(s string) string { return strings.ReplaceAll(s, "127.0.0.1:1", "[redacted]") }
	})
	if why := s.failsToStart(t); !strings.Contains(why, "not on tcp [redacted]") {
		t.Error(why)
	}
}

func TestNoBinary(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte("this is no program"), 0o700); err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		fifo:                         "must be an executable file",
		filepath.Join(dir, "absent"): "no such file",
		dir:                          "must be an executable file",
		plain:                        "must be an executable file",
		script:                       "it is no ELF program",
	} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			s := start(t, "good", func(o *Options) { o.Path = path })
			if why := s.failsToStart(t); !strings.Contains(why, want) || !strings.Contains(why, path) {
				t.Errorf("the error must name %s and say %q: %s", path, want, why)
			}
		})
	}
}

func TestTempDirTooLong(t *testing.T) {
	s := start(t, "good", func(*Options) {
		long := filepath.Join(t.TempDir(), strings.Repeat("x", 80))
		if err := os.Mkdir(long, 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv("TMPDIR", long)
	})
	if why := s.failsToStart(t); !strings.Contains(why, "set TMPDIR to a shorter path") {
		t.Error(why)
	}
}

// Banners are no reason to fail, but are reported.
func TestBanner(t *testing.T) {
	s := start(t, "banner", nil)
	s.running(t)
	for _, want := range []string{"Welcome!", "for the handshake only"} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	if strings.Contains(s.log.String(), "\x1b") {
		t.Error("the plugin steers the operator's terminal")
	}
}

// Service waits for a start, but no longer than its caller.
func TestServiceWhileItStarts(t *testing.T) {
	s := start(t, "silent", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := s.Service(ctx)
	if e := sdk.AsError(err); e == nil || e.Outcome != sdk.OutcomeNotSent || !strings.Contains(e.Error(), "being started") {
		t.Errorf("Service: %v", err)
	}
	if waited := time.Since(began); waited > 10*time.Second {
		t.Errorf("it waited for %s", waited)
	}
}

func TestPluginToHost(t *testing.T) {
	r := newChildRunner(&image{path: "x"}, "/run/p", nil, nil)
	for address, ok := range map[string]bool{
		"unix /run/p/sock": true, "unix /run/p/./sock": true,
		"unix /run/p/../q/sock": false, "unix /run/p/sub/sock": false, "unix /run/psock": false, "unix sock": false, "unix ": false,
		"unix @abstract": false, "unix /run/p": false, "tcp 127.0.0.1:80": false, "unixgram /run/p/sock": false, " /run/p/sock": false,
	} {
		network, path, _ := strings.Cut(address, " ")
		if _, _, err := r.PluginToHost(network, path); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// What listens on the address that the plugin named must hold the key of the
// certificate that it printed.
func TestServiceWithoutTLS(t *testing.T) {
	s := start(t, "no-tls", func(o *Options) { o.policy.start = 3 * time.Second })
	if why := s.failsToStart(t); !strings.Contains(why, "did not become ready") {
		t.Error(why)
	}
	if st := s.Status(); st.Restarts != 0 || strings.Contains(s.log.String(), "plugin started") {
		t.Errorf("it was believed: %+v", st)
	}
}

// go-plugin starts a goroutine for each message on the broker's stream, which
// has no use here.
func TestNoBroker(t *testing.T) {
	s := newSession(&image{path: "x"}, tls.Certificate{}, 0, &stderrLog{logger: (&records{}).logger(), redact: redactSecret})
	s.runner = newChildRunner(&image{path: "x"}, "/run/p", nil, nil)
	opened := map[string]bool{}
	open := func(_ context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
		opened[method] = true
		return nil, nil
	}
	for _, method := range []string{"/plugin.GRPCBroker/StartStream", "/plugin.GRPCStdio/StreamStdio"} {
		_, err := s.stream(t.Context(), nil, nil, method, open)
		if broker := strings.Contains(method, "Broker"); opened[method] == broker || (err != nil) != broker {
			t.Errorf("%s: opened %t, %v", method, opened[method], err)
		}
	}
	close(s.runner.done)
	_ = s.printed.Close()
	s.logging.Wait()
}

// A binary that doesn't end is no reason to wait for ever.
func TestEndlessBinary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "endless")
	if err := os.WriteFile(path, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Fatal(err)
	}
	s := start(t, "good", func(o *Options) { o.Path, o.policy.start = path, 50*time.Millisecond })
	if why := s.failsToStart(t); !strings.Contains(why, "a plugin may have") {
		t.Error(why)
	}
}

func kill(t *testing.T, pid int) {
	t.Helper()
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Kill()
	}
	if err != nil {
		t.Fatal(fmt.Errorf("kill %d: %w", pid, err))
	}
}
