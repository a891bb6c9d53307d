// Package alarm makes the host look at something at a time. An alarm is set in
// the transaction that makes it due, and holds nothing but an id: what there is
// to do is read when it rings, so that one which rings twice, late or for
// nothing does no harm.
package alarm

import (
	"context"
	"database/sql"
	"time"
)

// Kind says what an alarm is about.
type Kind string

// The kinds of alarms.
const (
	Payment      Kind = "payment"      // ID is a payment's
	Refund       Kind = "refund"       // ID is a refund's
	Notification Kind = "notification" // ID is PROVIDER/DIGEST of one that its plugin couldn't read
	Delivery     Kind = "delivery"     // ID is EVENT/ENDPOINT
)

// Kinds are all kinds.
var Kinds = []Kind{Payment, Refund, Notification, Delivery}

// Alarm is one thing to look at.
type Alarm struct {
	Kind Kind
	ID   string
	// Queue keeps those that may hang together apart from the others; each has
	// workers of its own.
	Queue string
	At    time.Time
}

// Ring looks at what an alarm names. The time that it returns is when to ring
// again for the same reason, zero for never. After an error it rings again too.
type Ring func(ctx context.Context, a Alarm) (again time.Time, err error)

// Engine keeps alarms and rings them.
type Engine interface {
	// Set keeps alarms if tx commits.
	Set(ctx context.Context, tx *sql.Tx, alarms []Alarm) error
	// Committed tells that their transaction did.
	Committed(alarms []Alarm)
	// Start rings what is due from now on, each queue by so many workers.
	Start(queues map[string]int, ring Ring) error
	// Serve adds queues to those that are served, with so many workers each.
	Serve(queues map[string]int) error
	// Stop waits for those that ring until ctx is over.
	Stop(ctx context.Context) error
}
