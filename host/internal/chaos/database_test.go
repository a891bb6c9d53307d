//go:build linux

package chaos

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver called "pgx"
	_ "modernc.org/sqlite"             // the driver called "sqlite"

	"github.com/paymux/paymux/host/internal/pgtest"
)

// engine is a kind of store.
type engine struct {
	name string
	open func(t testing.TB, dir string) database
}

// database is a store, seen from beside the hosts.
type database struct {
	store  string // as the config names it
	driver string
	source string
	jobID  string // what an alarm names, in the engine's own SQL
}

var engines = []engine{sqlite, postgres}

// has skips a test, loudly, whose engine this machine lacks.
func (e engine) has(t *testing.T) {
	t.Helper()
	if e.name == postgres.name && !pgtest.Installed() {
		lacks(t, "there is no PostgreSQL (apt-get install postgresql)")
	}
}

// postgres is a server that worlds share which do it no harm.
var postgres = engine{"postgres", func(t testing.TB, _ string) database { return postgresAt(pgtest.New(t)) }}

func postgresAt(url string) database {
	return database{store: url, driver: "pgx", source: url, jobID: "args->>'id'"}
}

var sqlite = engine{"sqlite", func(_ testing.TB, dir string) database { return sqliteIn(dir) }}

func sqliteIn(dir string) database {
	path := filepath.Join(dir, "paymux.db")
	return database{
		store: "sqlite:" + path, driver: "sqlite", source: "file:" + path + "?_pragma=query_only(1)&_pragma=busy_timeout(10000)",
		jobID: "json_extract(args, '$.id')",
	}
}

// books is what the store says at one moment.
type books struct {
	payments      map[string]paymentRow // by merchant order id
	timeline      []timelineRow
	events        map[string]eventRow // by id
	undelivered   map[string]string   // event id to state
	notifications map[string]string   // digest to state
	alarms        map[string]bool     // payments that have one
}

type paymentRow struct {
	id, order, status, createState, holder string
	due                                    int64
}

type timelineRow struct {
	payment, kind, status, event string
	seq                          int64
}

type eventRow struct {
	payment, kind string
	sequence      int64
}

const readTimeout = 20 * time.Second

// read reads the books in one transaction: a host may be at work.
func (d database) read() (books, error) {
	b := books{
		payments: map[string]paymentRow{}, events: map[string]eventRow{}, undelivered: map[string]string{},
		notifications: map[string]string{}, alarms: map[string]bool{},
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	db, err := sql.Open(d.driver, d.source)
	if err != nil {
		return b, err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable, ReadOnly: d.driver == "pgx"})
	if err != nil {
		return b, err
	}
	defer func() { _ = tx.Rollback() }()
	all := func(query string, row func(scan func(...any) error) error) {
		if err == nil {
			err = eachRow(ctx, tx, query, row)
		}
	}
	all(`SELECT id, merchant_order_id, status, create_state, holder, due_at FROM payments`, func(scan func(...any) error) error {
		var p paymentRow
		err := scan(&p.id, &p.order, &p.status, &p.createState, &p.holder, &p.due)
		b.payments[p.order] = p
		return err
	})
	all(`SELECT payment_id, seq, kind, status, event_id FROM timeline ORDER BY payment_id, seq`, func(scan func(...any) error) error {
		var r timelineRow
		err := scan(&r.payment, &r.seq, &r.kind, &r.status, &r.event)
		b.timeline = append(b.timeline, r)
		return err
	})
	all(`SELECT id, payment_id, type, sequence FROM events`, func(scan func(...any) error) error {
		var id string
		var e eventRow
		err := scan(&id, &e.payment, &e.kind, &e.sequence)
		b.events[id] = e
		return err
	})
	text := func(into func(k, v string)) func(func(...any) error) error {
		return func(scan func(...any) error) error {
			var k, v string
			err := scan(&k, &v)
			into(k, v)
			return err
		}
	}
	all(`SELECT event_id, state FROM deliveries WHERE state <> 'delivered'`, text(func(k, v string) { b.undelivered[k] = v }))
	all(`SELECT digest, state FROM notifications`, text(func(k, v string) { b.notifications[k] = v }))
	all(`SELECT `+d.jobID+`, kind FROM river_job WHERE state IN ('available', 'scheduled', 'retryable', 'running') AND kind = 'payment'`,
		text(func(k, _ string) { b.alarms[k] = true }))
	return b, err
}

func eachRow(ctx context.Context, tx *sql.Tx, query string, row func(func(...any) error) error) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
