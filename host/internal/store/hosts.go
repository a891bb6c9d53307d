package store

import (
	"context"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

// hostID names this process in the database. It changes when others took the
// process for dead: what it held is no longer its own.
type hostID struct {
	mu sync.Mutex
	id string
}

// Host returns the name of this process in the database.
func (s *Store) Host() string {
	s.host.mu.Lock()
	defer s.host.mu.Unlock()
	return s.host.id
}

// register enters this process among the hosts. A SQLite file has one.
func (s *Store) register(ctx context.Context) error {
	id := "host_" + ulid.Make().String()
	q := sqlgen.New(s.write)
	if err := q.InsertHost(ctx, sqlgen.InsertHostParams{ID: id, StartedAt: time.Now().UnixMicro()}); err != nil {
		return err
	}
	s.host.mu.Lock()
	s.host.id = id
	s.host.mu.Unlock()
	if s.shared {
		return nil
	}
	return q.DeleteOtherHosts(ctx, id)
}

func (s *Store) unregister() error {
	ctx, cancel := context.WithTimeout(context.Background(), resolveTime)
	defer cancel()
	return sqlgen.New(s.write).DeleteThisHost(ctx, s.Host())
}

// Beat tells the other hosts that this one lives; each transaction does.
func (s *Store) Beat(ctx context.Context) error {
	return s.Update(ctx, func(*Tx) error { return nil })
}

// Watch finds hosts that have ended without a word. It counts what it sees by
// itself, so that clocks need not agree, and only while it sees: a database
// that was away makes nobody dead.
type Watch struct {
	store *Store
	seen  map[string]sighting
}

type sighting struct {
	beat  int64
	times int // in a row, with this beat
}

// deadAfter is how many looks without a new beat make a host dead. Looks and
// beats are BeatEvery apart.
const deadAfter = 4

// BeatEvery is the time between a host's beats, and between its looks at others.
const BeatEvery = 3 * time.Second

// Watch returns a watch over the other hosts.
func (s *Store) Watch() *Watch { return &Watch{store: s, seen: map[string]sighting{}} }

// Look looks once and strikes off the hosts that are dead; what they held is
// free then.
func (w *Watch) Look(ctx context.Context) (struckOff []string, err error) {
	hosts, err := w.store.Read().Hosts(ctx)
	if err != nil {
		return nil, err
	}
	now := map[string]sighting{}
	for _, h := range hosts {
		if h.ID == w.store.Host() {
			continue
		}
		s := sighting{h.Beat, 1}
		if last := w.seen[h.ID]; last.beat == h.Beat {
			s.times = last.times + 1
		}
		now[h.ID] = s
		if s.times < deadAfter {
			continue
		}
		var n int64
		err := w.store.Update(ctx, func(tx *Tx) (err error) {
			n, err = tx.DeleteHost(ctx, sqlgen.DeleteHostParams(h))
			return err
		})
		if err != nil {
			return struckOff, err
		}
		if n == 1 {
			struckOff = append(struckOff, h.ID)
		}
	}
	w.seen = now
	return struckOff, nil
}
