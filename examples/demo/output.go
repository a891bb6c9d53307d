package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// narrator prints what several goroutines tell.
type narrator struct {
	mu    sync.Mutex
	w     io.Writer
	begun time.Time
}

func newNarrator(w io.Writer) *narrator { return &narrator{w: w} }

func (n *narrator) printf(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(n.w, format, args...)
}

func (n *narrator) begin() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.begun = time.Now()
}

// shopper tells what the shopper does, payment what happens to the payment at
// a time.
func (n *narrator) shopper(text string) { n.line(time.Now(), text, "") }

func (n *narrator) payment(at time.Time, text string) { n.line(at, "", text) }

func (n *narrator) line(at time.Time, left, right string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	text := fmt.Sprintf("%6.2f s  %-33s %s", max(0, at.Sub(n.begun).Seconds()), left, right)
	fmt.Fprintln(n.w, strings.TrimRight(text, " "))
}

// farewell says what to do with what is running.
func (s *settings) farewell(out *narrator, family []*child) {
	config := s.configFile()
	out.printf(`
It is your turn. Open the shop:

  http://%s

  A phone's browser is led into the wallet, a desktop's gets a QR code. No phone can
  reach this machine's sandbox by that code: choose "Pay on this device instead", or
  pay in the sandbox, where each order has its wallet page.

  sandbox    http://%s
  paymux     http://%s  (reference: /openapi.json; metrics: http://%s/metrics)
  payments   %s payments list --config %s

Try to break it from another terminal in this folder, also in the middle of a payment.
Each ends in the right state:

`, s.shop, s.sandbox, s.host, s.admin, s.binary("paymux"), config)
	if pid := s.pluginPID(); pid != 0 {
		out.printf("  kill -9 %-8d the plugin: paymux starts it again, under a new number\n", pid)
	}
	for _, c := range family {
		out.printf("  kill -9 %-8d %s; then start it again with:\n      %s\n", c.PID(), c.name, c.again())
	}
	out.printf("\nCtrl-C ends everything.\n")
}
