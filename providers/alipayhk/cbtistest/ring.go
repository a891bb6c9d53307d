package cbtistest

import "slices"

// ring keeps the newest values up to a limit, oldest first.
type ring[T any] struct {
	limit int
	items []T
}

func (r *ring[T]) add(v T) {
	r.items = append(r.items, v)
	if extra := len(r.items) - r.limit; extra > 0 {
		r.items = slices.Delete(r.items, 0, extra)
	}
}

func (r *ring[T]) list() []T { return slices.Clone(r.items) }
