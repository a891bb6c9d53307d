package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/oklog/ulid/v2"

	"github.com/paymux/paymux/host/internal/alarm"
	"github.com/paymux/paymux/host/internal/failpoint"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

// Tx is what an Update reads and writes by. Once one of its statements has
// failed, it runs no more and the Update fails.
type Tx struct {
	*sqlgen.Queries
	alarms []alarm.Alarm
}

// Alarm sets an alarm that rings if the transaction commits.
func (tx *Tx) Alarm(a alarm.Alarm) { tx.alarms = append(tx.alarms, a) }

// Errors of Update.
var (
	// ErrClosed says that the store is closed: nothing was written.
	ErrClosed = errors.New("the store is closed")
	// ErrCommitUnknown says that the database didn't tell what became of a
	// commit. Whoever gets it reads again what it wrote.
	ErrCommitUnknown = errors.New("it is not known whether the transaction was committed")
	// ErrConflict is what fn returns if it finds that another host was faster;
	// fn is run again on what is there now.
	ErrConflict = errors.New("the row was changed by somebody else")
)

// The bounds of a group. A disk that is slow makes groups larger, not longer
// queues.
const (
	largestGroup = 256
	groupTime    = 30 * time.Second
	resolveTime  = 15 * time.Second
	resolveLocal = 2 * time.Second // on SQLite: a disk that is full won't be a good one soon, and shops wait
	maxAttempts  = 20              // of an Update that met another host's
)

// Update runs fn in a transaction, which is durable when Update returns nil.
// Updates that come in while another is being committed share the next
// transaction, each behind a savepoint: its error undoes its own writes only.
//
// ctx is for the wait before fn runs. Once fn has run, the context no longer
// matters (neither that of the statements): Update commits although it has ended,
// and returns what became of the writes.
//
// fn must not call a provider, since all others wait for it, and may be run
// again if another host changed the same rows. Once it was run ctx no longer
// matters.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	if s.group == nil {
		return ErrClosed
	}
	for attempt := 1; ; attempt++ {
		err := s.group.do(ctx, fn)
		if attempt < maxAttempts && (errors.Is(err, ErrConflict) || isConflict(err)) {
			continue
		}
		return err
	}
}

// isConflict tells of a transaction that PostgreSQL undid for the sake of another.
func isConflict(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01") // serialization_failure, deadlock_detected
}

// request is an Update that waits for its transaction.
type request struct {
	ctx   context.Context
	fn    func(*Tx) error
	taken atomic.Bool // by the group, which runs fn, or by a caller that goes away before
	done  chan error
}

// group commits what has queued up, in one goroutine and without a timer: an
// Update that comes alone is committed alone, at once.
type group struct {
	s     *Store
	ended chan struct{}

	mu     sync.Mutex
	queue  []*request
	closed bool
	wake   chan struct{}
}

func newGroup(s *Store) *group {
	g := &group{s: s, ended: make(chan struct{}), wake: make(chan struct{}, 1)}
	go g.run()
	return g
}

func (g *group) do(ctx context.Context, fn func(*Tx) error) error {
	r := &request{ctx: ctx, fn: fn, done: make(chan error, 1)}
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return ErrClosed
	}
	g.queue = append(g.queue, r)
	g.mu.Unlock()
	g.signal()
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		if r.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		return <-r.done
	}
}

func (g *group) signal() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// close commits what has queued up and ends; false if it had ended before.
func (g *group) close() bool {
	g.mu.Lock()
	first := !g.closed
	g.closed = true
	g.mu.Unlock()
	g.signal()
	<-g.ended
	return first
}

func (g *group) run() {
	defer close(g.ended)
	for {
		g.mu.Lock()
		n := min(len(g.queue), largestGroup)
		batch := g.queue[:n:n]
		g.queue = g.queue[n:]
		closed := g.closed
		g.mu.Unlock()
		switch {
		case n > 0:
			g.commit(batch)
		case closed:
			return
		default:
			<-g.wake
		}
	}
}

// commit runs a batch in one transaction and tells each request what came of it.
func (g *group) commit(batch []*request) {
	ctx, cancel := context.WithTimeout(context.Background(), groupTime)
	defer cancel()
	results := make([]error, len(batch))
	err := g.transact(ctx, batch, results)
	for i, r := range batch {
		if results[i] == nil {
			results[i] = err
		}
		r.done <- results[i]
	}
}

// errFenced says that other hosts took this one for dead. Nothing was written.
var errFenced = errors.New("other hosts took this one for dead")

func (g *group) transact(ctx context.Context, batch []*request, results []error) error {
	for {
		err := g.tryOnce(ctx, batch, results)
		if !errors.Is(err, errFenced) {
			return err
		}
		clear(results)
		if err := g.s.register(ctx); err != nil {
			return err
		}
	}
}

// tryOnce leaves in results the errors of those whose writes were undone. Its
// own error is that of all others.
func (g *group) tryOnce(ctx context.Context, batch []*request, results []error) error {
	raw, err := g.s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = raw.Rollback() }() // after a commit it does nothing
	id := ulid.Make().String()
	n, err := sqlgen.New(raw).BeginCommit(ctx, sqlgen.BeginCommitParams{CommitID: id, ID: g.s.Host()})
	if err != nil {
		return err
	}
	if n == 0 {
		return errFenced
	}
	alarms, good, err := g.runAll(ctx, raw, batch, results)
	if err != nil || good == 0 {
		return err
	}
	if len(alarms) > 0 {
		failpoint.Hit("alarms.before") // payment written, its alarm not
		if err := g.s.alarms.Set(ctx, raw, alarms); err != nil {
			return err
		}
		failpoint.Hit("alarms.after") // both written, neither durable
	}
	failpoint.Hit("commit.before") // all of it is lost
	if err := g.s.commit(raw); err != nil {
		if err := g.s.resolve(id, err); err != nil {
			return err
		}
	}
	failpoint.Hit("commit.after") // durable, and nobody was told
	g.s.alarms.Committed(alarms)
	return nil
}

// runAll runs the functions of a batch, each behind a savepoint. An error means
// that the transaction is of no more use.
func (g *group) runAll(ctx context.Context, raw *sql.Tx, batch []*request, results []error) (alarms []alarm.Alarm, good int, err error) {
	for i, r := range batch {
		if results[i] = r.ctx.Err(); results[i] != nil || !r.taken.CompareAndSwap(false, true) {
			continue
		}
		if _, err := raw.ExecContext(ctx, "SAVEPOINT request"); err != nil {
			return nil, 0, err
		}
		own := &statements{ctx: ctx, tx: raw}
		tx := &Tx{Queries: sqlgen.New(own)}
		if results[i] = safely(r.fn, tx); results[i] == nil {
			results[i] = own.err
		}
		if results[i] == nil {
			good++
			alarms = append(alarms, tx.alarms...)
		} else if _, err := raw.ExecContext(ctx, "ROLLBACK TO SAVEPOINT request"); err != nil {
			// SQLite undoes all when the disk is full. The others need not know of what.
			return nil, 0, cmp.Or(own.err, err)
		}
		if _, err := raw.ExecContext(ctx, "RELEASE SAVEPOINT request"); err != nil {
			return nil, 0, err
		}
	}
	return alarms, good, nil
}

// statements runs those of one request, by the group's context: the end of a
// caller's would end the transaction of all. After one that failed it runs none:
// PostgreSQL wouldn't either, and SQLite, if it undid the whole transaction, would
// commit each of them alone.
type statements struct {
	ctx context.Context
	tx  *sql.Tx
	err error
}

var _ sqlgen.DBTX = (*statements)(nil)

func (s *statements) ExecContext(_ context.Context, query string, args ...any) (result sql.Result, err error) {
	if s.err == nil {
		result, s.err = s.tx.ExecContext(s.ctx, query, storable(args)...)
	}
	return result, s.err
}

func (s *statements) PrepareContext(_ context.Context, query string) (statement *sql.Stmt, err error) {
	if s.err == nil {
		statement, s.err = s.tx.PrepareContext(s.ctx, query)
	}
	return statement, s.err
}

func (s *statements) QueryContext(_ context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	if s.err == nil {
		rows, s.err = s.tx.QueryContext(s.ctx, query, storable(args)...)
	}
	return rows, s.err
}

func (s *statements) QueryRowContext(_ context.Context, query string, args ...any) *sql.Row {
	ctx := s.ctx
	if s.err != nil { // only database/sql can make a Row of an error
		ended, cancel := context.WithCancel(ctx)
		cancel()
		ctx = ended
	}
	row := s.tx.QueryRowContext(ctx, query, storable(args)...)
	s.err = cmp.Or(s.err, row.Err())
	return row
}

// safely turns a panic of one request into its error: the others go on.
func safely(fn func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a transaction: %v", p)
		}
	}()
	return fn(tx)
}

// resolve finds out what became of a commit that answered with an error: it may
// be durable all the same. The first statement of each transaction wrote its id
// into this host's row. To write that row again waits for a transaction that is
// still under way, and takes the place of one that SQLite gave up.
func (s *Store) resolve(id string, commitErr error) error {
	limit := resolveTime
	if !s.shared {
		limit = resolveLocal
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		if !s.shared { // SQLite keeps a transaction open whose commit failed
			_, _ = s.write.ExecContext(ctx, "ROLLBACK")
		}
		last, err := sqlgen.New(s.write).LastCommit(ctx, s.Host())
		switch {
		case err == nil && last == id:
			return nil
		case err == nil:
			return commitErr
		case errors.Is(err, sql.ErrNoRows): // struck off since; nobody can tell
			return fmt.Errorf("%w: %w", ErrCommitUnknown, commitErr)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrCommitUnknown, commitErr)
		}
	}
}
