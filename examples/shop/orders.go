package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/shopspring/decimal"
)

// Order is what a shopper wants to buy. Its price is fixed when it is made, so
// that every attempt to pay it asks for the same amount.
type Order struct {
	ID        string    `json:"id"`
	SKU       string    `json:"sku"`
	Name      string    `json:"name"`
	Unit      string    `json:"unit"` // price of one
	Quantity  int       `json:"quantity"`
	Amount    string    `json:"amount"`
	Currency  string    `json:"currency"`
	CreatedAt time.Time `json:"created_at"`
}

// Attempt is one try to pay an order. Its id is paymux's merchant_order_id.
type Attempt struct {
	ID     string    `json:"id"`
	Order  string    `json:"order"`
	Method string    `json:"method"`
	Flow   string    `json:"flow"`
	At     time.Time `json:"at"`
}

// maxAttempts bounds the tries of one order.
const maxAttempts = 50

var (
	errAttemptTaken    = errors.New("this attempt was made with another wallet or order")
	errTooManyAttempts = errors.New("too many attempts for one order")
)

// newID returns an id for an order or an attempt. It draws on crypto/rand
// (ulid.Make doesn't), because an order's id is all that guards its page.
func newID() string { return ulid.MustNew(ulid.Now(), rand.Reader).String() }

// validID reports whether s could have come from newID.
func validID(s string) bool {
	id, err := ulid.ParseStrict(s)
	return err == nil && id.String() == s
}

// newOrder prices an order.
func newOrder(p Product, quantity int, now time.Time) Order {
	total := p.Price.Mul(decimal.NewFromInt(int64(quantity)))
	return Order{
		ID: newID(), SKU: p.SKU, Name: p.Name, Unit: p.Price.StringFixed(2), Quantity: quantity,
		Amount: total.StringFixed(2), Currency: currency, CreatedAt: now.UTC(),
	}
}

// Description is what the wallet shows; plain ASCII suits every acquirer.
func (o Order) Description() string { return fmt.Sprintf("%d x %s", o.Quantity, o.Name) }

// record is one line of the journal: an order or an attempt.
type record struct {
	Order   *Order   `json:"order,omitempty"`
	Attempt *Attempt `json:"attempt,omitempty"`
}

// entry is what the journal knows of one order.
type entry struct {
	order    Order
	attempts []Attempt
	busy     chan struct{} // holds one token while the order is being paid
}

// Journal keeps orders and attempts, in memory and, if it has a file, as JSON
// lines. It is safe for concurrent use by one process.
type Journal struct {
	mu       sync.Mutex
	file     *os.File
	size     int64 // end of the last whole line
	orders   map[string]*entry
	attempts map[string]Attempt
}

// OpenJournal reads the journal at path; an empty path keeps it in memory only.
func OpenJournal(path string) (*Journal, error) {
	j := &Journal{orders: map[string]*entry{}, attempts: map[string]Attempt{}}
	if path == "" {
		return j, nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j.file = f
	if err := j.load(); err != nil {
		f.Close()
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	return j, nil
}

// Close closes the journal's file.
func (j *Journal) Close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}

// load reads whole lines. What follows the last newline was being written when
// the process died: nobody acted on it, so it is cut off.
func (j *Journal) load() error {
	raw, err := io.ReadAll(j.file)
	if err != nil {
		return err
	}
	j.size = int64(bytes.LastIndexByte(raw, '\n') + 1)
	n := 0
	for line := range bytes.Lines(raw[:j.size]) {
		n++
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if err := j.apply(r); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return j.file.Truncate(j.size)
}

// apply takes a record into memory.
func (j *Journal) apply(r record) error {
	switch {
	case r.Order != nil:
		j.orders[r.Order.ID] = &entry{order: *r.Order, busy: make(chan struct{}, 1)}
	case r.Attempt != nil:
		e := j.orders[r.Attempt.Order]
		if e == nil {
			return fmt.Errorf("attempt %s of an order that isn't there", r.Attempt.ID)
		}
		e.attempts = append(e.attempts, *r.Attempt)
		j.attempts[r.Attempt.ID] = *r.Attempt
	default:
		return errors.New("neither an order nor an attempt")
	}
	return nil
}

// add makes a record durable and then takes it into memory.
func (j *Journal) add(r record) error {
	if j.file != nil {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		line = append(line, '\n')
		_, err = j.file.WriteAt(line, j.size)
		if err == nil {
			err = j.file.Sync()
		}
		if err != nil {
			// The next write starts at the same place; leave nothing behind it.
			return errors.Join(err, j.file.Truncate(j.size))
		}
		j.size += int64(len(line))
	}
	return j.apply(r)
}

// AddOrder keeps a new order.
func (j *Journal) AddOrder(o Order) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.add(record{Order: &o})
}

// AddAttempt keeps an attempt. One that is already there is fine, if it is the
// same: that is how a form posted twice stays one attempt.
func (j *Journal) AddAttempt(a Attempt) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if old, ok := j.attempts[a.ID]; ok {
		if old.Order != a.Order || old.Method != a.Method || old.Flow != a.Flow {
			return errAttemptTaken
		}
		return nil
	}
	if e := j.orders[a.Order]; e != nil && len(e.attempts) >= maxAttempts {
		return errTooManyAttempts
	}
	return j.add(record{Attempt: &a})
}

// Order finds an order and its attempts, oldest first.
func (j *Journal) Order(id string) (Order, []Attempt, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.orders[id]
	if e == nil {
		return Order{}, nil, false
	}
	return e.order, slices.Clone(e.attempts), true
}

// Lock lets one request at a time pay an order that exists. Two clicks then
// become one payment and two identical answers.
func (j *Journal) Lock(ctx context.Context, id string) (unlock func(), err error) {
	j.mu.Lock()
	busy := j.orders[id].busy
	j.mu.Unlock()
	select {
	case busy <- struct{}{}:
		return func() { <-busy }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
