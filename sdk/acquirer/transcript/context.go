package transcript

import "context"

type contextKey struct{}

// NewContext returns a context under which an acquirer.Client records. It is how
// a running plugin records each account with the secrets of its own config.
func NewContext(ctx context.Context, r *Recorder) context.Context {
	return context.WithValue(ctx, contextKey{}, r)
}

// FromContext returns the context's recorder, nil if there is none.
func FromContext(ctx context.Context) *Recorder {
	r, _ := ctx.Value(contextKey{}).(*Recorder)
	return r
}
