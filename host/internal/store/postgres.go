package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"

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
	config, err := parsePostgres(url)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	s := &Store{shared: true}
	if err := s.openPostgres(ctx, config, url, o); err != nil {
		return nil, errors.Join(fmt.Errorf("store postgres://%s/%s: %w", config.Host, config.Database, err), s.Close())
	}
	return s, nil
}

// CheckPostgresURL says what is wrong with a URL, without quoting it.
func CheckPostgresURL(url string) error {
	_, err := parsePostgres(url)
	return err
}

// parsePostgres leaves out of pgx's errors the URL, which they quote in backticks.
func parsePostgres(url string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err == nil {
		return config, nil
	}
	text := err.Error()
	if quoted := strings.LastIndex(text, "`: "); quoted >= 0 {
		return nil, errors.New(text[quoted+len("`: "):])
	}
	return nil, errors.New("the driver can't read it")
}

// Server is what a look at a PostgreSQL server tells.
type Server struct {
	Address string // host:port/database
	Version int    // major
	Fsync   bool   // without it a power cut can lose payments
}

// LookAtPostgres sees whether a store can be kept in a database. It changes
// nothing there.
func LookAtPostgres(ctx context.Context, url string) (Server, error) {
	config, err := parsePostgres(url)
	if err != nil {
		return Server{}, err
	}
	s := Server{Address: fmt.Sprintf("%s:%d/%s", config.Host, config.Port, config.Database)}
	db := postgres(config, 1, nil)
	defer db.Close()
	if s.Version, s.Fsync, err = serverOf(ctx, db); err != nil {
		return s, err
	}
	var readOnly bool
	if err := db.QueryRowContext(ctx, "SELECT current_setting('transaction_read_only') = 'on'").Scan(&readOnly); err != nil {
		return s, err
	}
	if readOnly {
		return s, errors.New("it can't be written: the server is a standby, or its settings make transactions read-only")
	}
	return s, nil
}

// serverOf asks for the major version, which must be one that paymux can use.
func serverOf(ctx context.Context, db *sql.DB) (version int, fsync bool, err error) {
	const settings = "SELECT CAST(current_setting('server_version_num') AS INT), current_setting('fsync') = 'on'"
	if err := db.QueryRowContext(ctx, settings).Scan(&version, &fsync); err != nil {
		return 0, false, err
	}
	if version < oldest {
		return 0, false, fmt.Errorf("the server is PostgreSQL %d; paymux needs %d or later", version/10000, oldest/10000)
	}
	return version / 10000, fsync, nil
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
	_, fsync, err := serverOf(ctx, db)
	if err != nil {
		return err
	}
	if !fsync && o.Logger != nil {
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
