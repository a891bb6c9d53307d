package store

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/paymux/paymux/host/internal/pgtest"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

func show(t *testing.T, db *sql.DB, name string) (value string) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SHOW "+name).Scan(&value); err != nil {
		t.Fatal(name, err)
	}
	return value
}

// The server's own settings are for others: pgtest's has synchronous_commit off.
func TestSettingsOfPostgres(t *testing.T) {
	onPostgres(t, func(t *testing.T, d database) {
		s := d.open(t)
		if got := show(t, s.write, "synchronous_commit"); got != "on" {
			t.Errorf("synchronous_commit is %s: an acknowledged commit doesn't survive a power cut", got)
		}
		if got := show(t, s.write, "idle_in_transaction_session_timeout"); got == "0" {
			t.Error("a host that stands still keeps its locks for ever")
		}
		if err := s.Read().InsertPayment(t.Context(), sqlgen.InsertPaymentParams(payment("1", nil))); err == nil {
			t.Error("a reader wrote")
		}
		if !s.Shared() || openNew(t).Shared() {
			t.Error("PostgreSQL is shared, a SQLite file isn't")
		}
	})
}

// An error names the database, and never the password.
func TestOpenPostgresFails(t *testing.T) {
	url := pgtest.New(t)
	absent := strings.Replace(url, "/test_", "/absent_", 1)
	withPassword := strings.Replace(absent, "paymux@", "paymux:hush-hush@", 1)
	for _, url := range []string{absent, withPassword, withPassword + "&port=x", "postgres://paymux:hush-hush@/x?sslmode=hush", "postgres://a:hush-hush@[::1/x"} {
		s, err := OpenPostgres(t.Context(), url, Options{})
		if s != nil || err == nil {
			t.Fatal("opened")
		}
		if !strings.HasPrefix(err.Error(), "store") || strings.Contains(err.Error(), "hush-hush") {
			t.Error(err)
		}
	}
}

// A database that was away comes back without a new start.
func TestServerRestarts(t *testing.T) {
	server := pgtest.Start(t)
	s := database{url: server.New(t)}.open(t)
	update(t, s, inserts("0", nil))
	server.Crash(t)
	if err := s.Update(t.Context(), inserts("1", nil)); err == nil {
		t.Error("stored in a database that isn't there")
	}
	server.Restart(t)
	host := s.Host()
	until(t, "it writes again", func() bool { return s.Beat(t.Context()) == nil })
	update(t, s, inserts("2", nil))
	if got := stored(t, s, 3); got != "02" || s.Host() != host {
		t.Errorf("stored %q, as %s, then %s", got, host, s.Host())
	}
}
