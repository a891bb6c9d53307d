package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

// storable makes text that PostgreSQL takes, of whatever an acquirer said: it
// refuses a NUL and what isn't UTF-8, and the payment would hang on that for ever.
// SQLite gets the same, so that both hold the same.
func storable(args []any) []any {
	for i, a := range args {
		if text, ok := a.(string); ok {
			args[i] = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "\uFFFD"), "\uFFFD")
		}
	}
	return args
}

// readable is a pool that is asked for storable text only.
type readable struct{ *sql.DB }

var _ sqlgen.DBTX = readable{}

func (r readable) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return r.DB.QueryContext(ctx, query, storable(args)...)
}

func (r readable) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return r.DB.QueryRowContext(ctx, query, storable(args)...)
}
