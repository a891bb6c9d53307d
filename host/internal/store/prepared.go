package store

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"modernc.org/sqlite" // pure Go, so that binaries need no cgo
)

// mostPrepared is how many statements a connection keeps. The store and River
// have some hundred; more means that somebody makes up texts.
const mostPrepared = 256

// connect opens a SQLite database whose connections keep what they have
// prepared: to parse and plan a statement takes SQLite longer than to run it.
func connect(dsn string) (*sql.DB, error) {
	c, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(preparing{c}), nil
}

type preparing struct{ driver.Connector }

func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &preparedConn{c.(sqliteConn), map[string]sqliteStmt{}}, nil
}

// sqliteConn and sqliteStmt are what the driver's connections and statements can
// do, as far as database/sql asks.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// preparedConn needs no lock: database/sql lets one goroutine at a time use a
// connection and the rows that come from it.
type preparedConn struct {
	sqliteConn
	idle map[string]sqliteStmt // by text; one whose rows are being read isn't here
}

func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	result, err := s.ExecContext(ctx, args)
	c.put(query, s, err)
	return result, err
}

func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		c.put(query, s, err)
		return nil, err
	}
	return &preparedRows{rows, c, query, s}, nil
}

func (c *preparedConn) take(ctx context.Context, query string) (sqliteStmt, error) {
	if s, ok := c.idle[query]; ok {
		delete(c.idle, query)
		return s, nil
	}
	s, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.(sqliteStmt), nil
}

// put keeps a statement for the next time, unless it failed. What SQLite says of
// the end of a statement is how it ran, which was told before.
func (c *preparedConn) put(query string, s sqliteStmt, failed error) {
	if _, twice := c.idle[query]; failed != nil || twice {
		_ = s.Close()
		return
	}
	if len(c.idle) >= mostPrepared {
		c.forget()
	}
	c.idle[query] = s
}

func (c *preparedConn) forget() {
	for _, s := range c.idle {
		_ = s.Close()
	}
	clear(c.idle)
}

func (c *preparedConn) Close() error {
	c.forget() // else SQLite keeps the database open for them
	return c.sqliteConn.Close()
}

// preparedRows give their statement back when they are closed.
type preparedRows struct {
	driver.Rows
	conn  *preparedConn
	query string
	stmt  sqliteStmt
}

func (r *preparedRows) Close() error {
	err := r.Rows.Close()
	r.conn.put(r.query, r.stmt, err)
	return err
}
