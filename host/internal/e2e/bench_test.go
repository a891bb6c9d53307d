package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paymux/paymux/host/internal/process"
	"github.com/paymux/paymux/host/internal/provider"
	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
	"github.com/paymux/paymux/sdk"
)

// BenchmarkInstances configures merchant accounts in one process, and says what
// each costs. With 1 instance it is the process itself.
func BenchmarkInstances(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				p := startPlugin(b)
				before, heap := rss(b, p.Status().PID), hostHeap()
				begun := time.Now()
				all := configureAll(b, p, n)
				took := time.Since(begun)
				b.ReportMetric(float64(rss(b, p.Status().PID)-before)/float64(n), "plugin-KiB/instance")
				b.ReportMetric(float64(int64(hostHeap())-int64(heap))/1024/float64(n), "host-KiB/instance")
				b.ReportMetric(float64(took.Microseconds())/float64(n), "µs/instance")
				runtime.KeepAlive(all)
				p.Stop()
			}
		})
	}
}

// BenchmarkFairness takes turns: a quiet account's calls while nobody else calls,
// and while another account of the same process calls as much as it may.
func BenchmarkFairness(b *testing.B) {
	p := startPlugin(b)
	defer p.Stop()
	all := configureAll(b, p, 10_000)
	busy, quiet := all[0], all[len(all)-1]
	notification := sdk.HTTPRequest{Method: "POST", Body: []byte(`{"rid":"1"}`), Header: map[string][]string{"Signature": {"00"}}}
	parse := func(p *provider.Provider) { _, _ = p.ParseNotification(b.Context(), notification) }
	for _, name := range []string{"alone", "beside-a-busy-one"} {
		b.Run(name, func(b *testing.B) {
			ctx, stop := context.WithCancel(b.Context())
			var load sync.WaitGroup
			if name != "alone" {
				for range 16 {
					load.Go(func() {
						for ctx.Err() == nil {
							parse(busy)
						}
					})
				}
			}
			var took []time.Duration
			for b.Loop() {
				begun := time.Now()
				parse(quiet)
				took = append(took, time.Since(begun))
			}
			stop()
			load.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// BenchmarkServe starts a whole host with so many providers in one process.
func BenchmarkServe(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			dir := b.TempDir()
			var text bytes.Buffer
			fmt.Fprintf(&text, "listen: 127.0.0.1:0\nadmin_listen: \"\"\npublic_url: http://127.0.0.1:9\nstore: sqlite:paymux.db\nplugins: {dir: %s}\nproviders:\n", filepath.Join(bin, "plugins"))
			for i := range n {
				fmt.Fprintf(&text, "  p%d: {plugin: alipayhk, config: %s}\n", i, account(i))
			}
			config := filepath.Join(dir, "paymux.yaml")
			if err := os.WriteFile(config, text.Bytes(), 0o600); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				serveOnce(b, config)
			}
		})
	}
}

func serveOnce(b *testing.B, config string) {
	b.Helper()
	cmd := exec.Command(filepath.Join(bin, "paymux"), "serve", "--log-level", "error", "--config", config)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	line := make([]byte, 64)
	_, err = out.Read(line)
	b.StopTimer()
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	b.StartTimer()
	if err != nil || !bytes.HasPrefix(line, []byte("paymux: listening on ")) {
		b.Fatalf("it said %q: %v", line, err)
	}
}

func account(i int) string {
	return fmt.Sprintf(`{"base_url":"http://127.0.0.1:9","uid":"%d","client_secret":"secret-of-%d","webhook_keys":["%s"]}`, i, i, cbtistest.DefaultWebhookKey)
}

func startPlugin(b *testing.B) *process.Process {
	b.Helper()
	p := process.Start(process.Options{Name: "alipayhk", Path: filepath.Join(bin, "plugins", "paymux-provider-alipayhk")})
	b.Cleanup(p.Stop)
	if _, err := p.Ready(b.Context()); err != nil {
		b.Fatal(err)
	}
	return p
}

// configureAll configures accounts side by side, as a host does at its start.
func configureAll(b *testing.B, p *process.Process, n int) []*provider.Provider {
	b.Helper()
	all := make([]*provider.Provider, n)
	var group sync.WaitGroup
	next := make(chan int)
	for range 64 {
		group.Go(func() {
			for i := range next {
				all[i] = provider.New(fmt.Sprint("p", i), []byte(account(i)), p)
				if _, err := all[i].Configure(b.Context()); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	group.Wait()
	return all
}

// rss is what a process holds of the machine's memory, in KiB.
func rss(b *testing.B, pid int) int64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skip(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return n
		}
	}
	return 0
}

func hostHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
