// The adapter for CBTIS, broken in ways that only a process can be. The name of
// the binary says how.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/paymux/paymux/providers/alipayhk"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/plugin"
)

func main() {
	how := strings.TrimPrefix(filepath.Base(os.Args[0]), "paymux-provider-")
	p := alipayhk.Plugin()
	p.Info.Name = how
	open := p.Open
	p.Open = func(ctx context.Context, c sdk.Config) (sdk.Provider, error) {
		opened, err := open(ctx, c)
		if err != nil {
			return nil, err
		}
		inner := opened.(provider)
		switch how {
		case "journals":
			j := &journal{provider: inner, file: os.Args[0] + ".journal"}
			return j, j.resume(ctx)
		case "wakes":
			w := &waking{provider: inner}
			go w.watch()
			return w, nil
		case "prints":
			return printing{inner}, nil
		case "logs":
			return logging{inner}, nil
		}
		return inner, nil
	}
	plugin.Serve(p)
}

type provider interface {
	sdk.Provider
	sdk.Refunder
}

// journal notes on disk what it is about to send, and sends it again if it
// didn't get to the end: what hosts do, and do better.
type journal struct {
	provider
	file string
}

func (j *journal) Create(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
	text, _ := json.Marshal(noted{r.MerchantOrderID, r.Money.AmountString(), r.Money.Currency(), string(r.Method), string(r.Flow), r.Description, r.ReturnURL, r.NotifyURL})
	if err := os.WriteFile(j.file, text, 0o600); err != nil {
		return sdk.Payment{}, sdk.NotSent(sdk.CodeInternal, "the journal can't be written")
	}
	p, err := j.provider.Create(ctx, r)
	_ = os.Remove(j.file)
	return p, err
}

type noted struct{ ID, Amount, Currency, Method, Flow, Description, Return, Notify string }

func (j *journal) resume(ctx context.Context) error {
	text, err := os.ReadFile(j.file)
	if err != nil {
		return nil // nothing was left
	}
	_ = os.Remove(j.file)
	var n noted
	if err := json.Unmarshal(text, &n); err != nil {
		return err
	}
	money, err := sdk.ParseMoney(n.Amount, n.Currency)
	if err != nil {
		return err
	}
	_, _ = j.provider.Create(ctx, sdk.CreateRequest{
		Order: sdk.Order{MerchantOrderID: n.ID, Money: money}, RequestID: n.ID, Method: sdk.Method(n.Method), Flow: sdk.Flow(n.Flow),
		Description: n.Description, ReturnURL: n.Return, NotifyURL: n.Notify,
	})
	return nil
}

// waking notices that the machine slept in a call, and makes the call again.
type waking struct {
	provider
	mu      sync.Mutex // nothing else until a call is through with
	tick    atomic.Int64
	longest atomic.Int64 // between two ticks
}

func (w *waking) Create(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.longest.Store(0)
	p, err := w.provider.Create(ctx, r)
	gap := max(w.longest.Load(), time.Now().UnixNano()-w.tick.Load())
	if err != nil && time.Duration(gap) > 250*time.Millisecond {
		return w.provider.Create(context.Background(), r)
	}
	return p, err
}

func (w *waking) Query(ctx context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.provider.Query(ctx, r)
}

func (w *waking) watch() {
	for {
		now := time.Now().UnixNano()
		if before := w.tick.Swap(now); before > 0 {
			w.longest.Store(max(w.longest.Load(), now-before))
		}
		<-time.After(time.Millisecond)
	}
}

// printing shows what it can't read on the terminal that it thinks it has.
type printing struct{ provider }

func (p printing) Create(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
	payment, err := p.provider.Create(ctx, r)
	if sdk.IsCode(err, sdk.CodeAcquirerAnswerInvalid) {
		_, _ = syscall.Write(1, []byte("unexpected answer\n"))
		_, _ = syscall.Write(2, []byte("\x1b[31m\xff\xfe\x00\n"))
	}
	return payment, err
}

// logging tells a lot of what it met, as it should: in lines of text.
type logging struct{ provider }

func (l logging) Create(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
	payment, err := l.provider.Create(ctx, r)
	for i := range 50 {
		fmt.Fprintf(os.Stderr, "%d: the receipt is printed to stdout by nobody\n", i)
	}
	fmt.Fprintln(os.Stderr, "the acquirer logs too much")
	return payment, err
}

func (l logging) ParseNotification(ctx context.Context, r sdk.HTTPRequest) (sdk.Notification, error) {
	n, err := l.provider.ParseNotification(ctx, r)
	line, _ := json.Marshal(map[string]string{"@level": "warn", "@message": "what is this?", "body": string(r.Body)})
	fmt.Fprintf(os.Stderr, "%s\n", line)
	return n, err
}
