package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	"modernc.org/sqlite"

	"github.com/paymux/paymux/host/internal/pgtest"
)

// openFaulty opens a SQLite store whose commits meet a fate, as pgtest.NewProxy
// does for PostgreSQL.
func openFaulty(t *testing.T, path string, fate func() pgtest.Fate) *Store {
	t.Helper()
	s := open(t, path)
	if err := s.write.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := sqlite.NewConnector(dsn(path, "_txlock=immediate", "_pragma=synchronous(FULL)"))
	if err != nil {
		t.Fatal(err)
	}
	s.write = sql.OpenDB(preparing{faulty{c, fate}})
	s.write.SetMaxOpenConns(1)
	return s
}

type faulty struct {
	driver.Connector
	fate func() pgtest.Fate
}

func (f faulty) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := f.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return faultyConn{conn.(sqliteConn), f.fate}, nil
}

type faultyConn struct {
	sqliteConn
	fate func() pgtest.Fate
}

func (c faultyConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := c.sqliteConn.BeginTx(ctx, o)
	return faultyTx{tx, c.fate}, err
}

type faultyTx struct {
	driver.Tx
	fate func() pgtest.Fate
}

var errDisk = errors.New("disk I/O error")

func (tx faultyTx) Commit() error {
	switch tx.fate() {
	case pgtest.Passes:
		return tx.Tx.Commit()
	case pgtest.Vanishes:
		return errors.Join(errDisk, tx.Tx.Rollback()) // the driver does so when a commit fails
	case pgtest.StandsBefore:
		return errDisk // another driver might not
	default:
		return errors.Join(errDisk, tx.Tx.Commit())
	}
}
