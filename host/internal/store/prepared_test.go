package store

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// oneConn returns a connection with a table of three rows, and what it keeps.
func oneConn(t *testing.T) (*sql.Conn, *preparedConn) {
	t.Helper()
	db, err := connect(dsn(filepath.Join(t.TempDir(), "x.db")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	var kept *preparedConn
	if err := conn.Raw(func(c any) error { kept = c.(*preparedConn); return nil }); err != nil {
		t.Fatal(err)
	}
	execute(t, conn, "CREATE TABLE x (id INTEGER PRIMARY KEY)")
	for id := range 3 {
		execute(t, conn, insertX, id)
	}
	return conn, kept
}

const (
	insertX = "INSERT INTO x VALUES ($1)"
	selectX = "SELECT * FROM x WHERE id >= $1 ORDER BY id"
)

func execute(t *testing.T, conn *sql.Conn, query string, args ...any) {
	t.Helper()
	if _, err := conn.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// all reads what is left of rows, and closes them.
func all(t *testing.T, rows *sql.Rows) string {
	t.Helper()
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var read []string
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		read = append(read, fmt.Sprint(row...))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(read, ",")
}

func query(t *testing.T, ctx context.Context, conn *sql.Conn, args ...any) *sql.Rows {
	t.Helper()
	rows, err := conn.QueryContext(ctx, selectX, args...)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestPrepared: a statement is prepared once, and each use of it is as good as the
// first.
func TestPrepared(t *testing.T) {
	conn, kept := oneConn(t)
	ctx := t.Context()
	first := kept.idle[insertX]
	if first == nil {
		t.Fatal("it isn't kept")
	}
	execute(t, conn, insertX, 3)
	if kept.idle[insertX] != first {
		t.Error("it was prepared again")
	}

	t.Run("two at a time", func(t *testing.T) {
		a := query(t, ctx, conn, 1)
		if !a.Next() {
			t.Fatal(a.Err())
		}
		b := query(t, ctx, conn, 2)
		if got := all(t, b) + " " + all(t, a); got != "2,3 2,3" {
			t.Errorf("read %s", got)
		}
		if got := all(t, query(t, ctx, conn, 0)); got != "0,1,2,3" {
			t.Errorf("then %s", got)
		}
	})
	t.Run("rows left unread", func(t *testing.T) {
		rows := query(t, ctx, conn, 0)
		if rows.Next(); rows.Close() != nil || kept.idle[selectX] == nil {
			t.Error("it isn't kept")
		}
		if got := all(t, query(t, ctx, conn, 2)); got != "2,3" {
			t.Errorf("read %s", got)
		}
		execute(t, conn, "PRAGMA wal_checkpoint(TRUNCATE)") // a statement that still read would be in its way
	})
	t.Run("one that failed", func(t *testing.T) {
		if _, err := conn.ExecContext(ctx, insertX, 0); err == nil || kept.idle[insertX] != nil {
			t.Errorf("kept: %v", err)
		}
		execute(t, conn, insertX, 4)
	})
	t.Run("a context that ends", func(t *testing.T) {
		ending, cancel := context.WithCancel(ctx)
		rows := query(t, ending, conn, 0)
		cancel()
		for rows.Next() {
		}
		_ = rows.Close()
		if got := all(t, query(t, ctx, conn, 3)); got != "3,4" {
			t.Errorf("read %s", got)
		}
	})
	t.Run("inside transactions", func(t *testing.T) {
		for id, end := range []func(*sql.Tx) error{(*sql.Tx).Rollback, (*sql.Tx).Commit} {
			tx, err := conn.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.ExecContext(ctx, insertX, 10+id); err != nil {
				t.Fatal(err)
			}
			if err := end(tx); err != nil {
				t.Fatal(err)
			}
		}
		if got := all(t, query(t, ctx, conn, 10)); got != "11" {
			t.Errorf("read %s", got)
		}
	})
	t.Run("another schema", func(t *testing.T) {
		execute(t, conn, "ALTER TABLE x ADD COLUMN y TEXT NOT NULL DEFAULT 'new'")
		if got := all(t, query(t, ctx, conn, 11)); got != "11new" {
			t.Errorf("read %s", got)
		}
	})
	t.Run("made-up texts", func(t *testing.T) {
		for i := range 2 * mostPrepared {
			execute(t, conn, fmt.Sprint("UPDATE x SET y = '' WHERE id = ", i))
			if n := len(kept.idle); n > mostPrepared {
				t.Fatalf("%d are kept", n)
			}
		}
	})
}
