package sandbox

import (
	"cmp"
	"slices"
	"sync"
)

// Log remembers the newest calls or attempts, up to Limit or, if that is 0, 1000.
type Log[T any] struct {
	Limit int

	mu   sync.Mutex
	list []T
}

// Add adds one.
func (l *Log[T]) Add(v T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, v)
	if extra := len(l.list) - cmp.Or(l.Limit, 1000); extra > 0 {
		l.list = slices.Delete(l.list, 0, extra)
	}
}

// List returns them, oldest first.
func (l *Log[T]) List() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list)
}
