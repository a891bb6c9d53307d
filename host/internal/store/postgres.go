package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"runtime"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
)

// The connections of one host: writers are shared by its transactions, which
// take one at a time, and by River.
const (
	writers   = 12
	listeners = 2
	oldest    = 140000 // PostgreSQL 14, the oldest that is maintained
)

// migrationLock keeps hosts that start together from migrating together. The
// number is the word "paymux".
const migrationLock int64 = 0x7061796d7578

// OpenPostgres opens a database that several hosts may serve at a time, and
// brings it up to date.
func OpenPostgres(ctx context.Context, url string, o Options) (*Store, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err) // pgx takes the password out
	}
	s := &Store{shared: true}
	if err := s.openPostgres(ctx, config, url, o); err != nil {
		return nil, errors.Join(fmt.Errorf("store postgres://%s/%s: %w", config.Host, config.Database, err), s.Close())
	}
	return s, nil
}

func (s *Store) openPostgres(ctx context.Context, config *pgx.ConnConfig, url string, o Options) error {
	if err := prepare(ctx, config, o); err != nil {
		return err
	}
	s.write = postgres(config, writers, map[string]string{
		// An acknowledged commit survives the server's power cut, whatever its own setting.
		"synchronous_commit": "on",
		// A host that stands still, or whose connection broke unseen, must not keep
		// the others waiting for its locks: they wait longer than it holds them, and
		// so does resolve.
		"idle_in_transaction_session_timeout": "5s", "lock_timeout": "8s", "statement_timeout": "20s",
	})
	s.read = postgres(config, max(4, runtime.NumCPU()), map[string]string{"default_transaction_read_only": "on", "statement_timeout": "20s"})
	listen, err := pgxpool.ParseConfig(url)
	if err != nil {
		return err
	}
	listen.MaxConns, listen.ConnConfig.RuntimeParams["application_name"] = listeners, "paymux"
	if s.listen, err = pgxpool.NewWithConfig(ctx, listen); err != nil {
		return err
	}
	return s.start(ctx, riverdatabasesql.NewWithPgxListener(s.write, s.listen), o)
}

// postgres opens a pool with settings of its own.
func postgres(config *pgx.ConnConfig, connections int, settings map[string]string) *sql.DB {
	config = config.Copy()
	config.RuntimeParams["application_name"] = "paymux"
	maps.Copy(config.RuntimeParams, settings)
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db
}

// prepare checks the server and migrates, one host at a time.
func prepare(ctx context.Context, config *pgx.ConnConfig, o Options) (err error) {
	db := postgres(config, 4, nil)
	defer func() { err = errors.Join(err, db.Close()) }()
	var version int
	var fsync string
	if err := db.QueryRowContext(ctx, "SELECT CAST(current_setting('server_version_num') AS INT), current_setting('fsync')").Scan(&version, &fsync); err != nil {
		return err
	}
	if version < oldest {
		return fmt.Errorf("the server is PostgreSQL %d; paymux needs %d or later", version/10000, oldest/10000)
	}
	if fsync != "on" && o.Logger != nil {
		o.Logger.Warn("the PostgreSQL server runs with fsync off: a power cut can lose payments")
	}
	lock, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	if _, err := lock.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		return err
	}
	defer func() {
		_, _ = lock.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock)
	}()
	return migrate(ctx, goose.DialectPostgres, db, riverdatabasesql.New(db))
}
