package host

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/internal/alarm/alarmtest"
	"github.com/paymux/paymux/host/internal/provider"
	"github.com/paymux/paymux/host/internal/store"
)

// sim is the world of one seed.
type sim struct {
	t      *testing.T
	seed   uint64
	draw   *rand.Rand // decides the steps; used by the main goroutine only
	cfg    *config.Config
	begun  time.Time
	engine *alarmtest.Virtual // outlives hosts, as the store does
	db     *sql.DB            // what the rules read by
	faults float64            // how likely a call of an acquirer goes wrong
	quiet  atomic.Bool        // nothing goes wrong any more
	busy   atomic.Int64       // payers, merchants and acquirers that are doing something

	acquirers []*simAcquirer
	plugins   map[string]*simPlugin // by provider

	mu        sync.Mutex
	life      *simLife // the host that runs; replaced by the main goroutine only
	store     simStore
	ledger    simLedger
	merchants simMerchants
	notices   simNotices
	rules     simRules
	trace     []string
	broken    string // the first rule that was broken, and how
}

const simConfig = `
store: sqlite:paymux.db
admin_listen: ""
api_keys: [{merchant: shop-a, key: key-of-shop-a-0123}, {merchant: shop-b, key: key-of-shop-b-0123}]
providers:
  plain: {plugin: plain, config: {uid: "1"}}
  native: {plugin: native, config: {uid: "2"}}
routes:
  - {methods: [alipay_hk], providers: [plain, native]}
  - {methods: [alipay_cn], providers: [native, plain]}
`

func newSim(t *testing.T, seed uint64, dir string) *sim {
	s := &sim{t: t, seed: seed, begun: time.Now(), engine: alarmtest.NewVirtual(), plugins: map[string]*simPlugin{}}
	s.draw = s.stream("steps")
	s.faults = []float64{0, 0.1, 0.3, 0.6}[s.draw.IntN(4)]
	var err error
	if s.cfg, err = config.Parse("paymux.yaml", []byte(simConfig), dir, nil); err != nil {
		t.Fatal(err)
	}
	if s.db, err = sql.Open("sqlite", "file:"+filepath.Join(dir, "paymux.db")+"?_pragma=query_only(1)&_pragma=busy_timeout(10000)"); err != nil {
		t.Fatal(err)
	}
	s.db.SetMaxOpenConns(1)
	s.ledger.orders = map[string][]*simOrder{}
	s.ledger.creates = map[string][]*simArrival{}
	s.merchants.ids = map[string]string{}
	s.merchants.waiting = map[string]int{}
	s.notices.refused = map[string]bool{}
	s.rules.seen = map[string]*simPayment{}
	s.rules.mustFlag = map[string]*simLife{}
	for i, name := range []string{"plain", "native"} {
		a := &simAcquirer{s: s, name: name, account: fmt.Sprint(i + 1), native: name == "native"}
		s.acquirers = append(s.acquirers, a)
		s.plugins[name] = newSimPlugin(s, a)
	}
	s.log("faults %.1f", s.faults)
	s.open()
	return s
}

// stream returns a source of chance that belongs to one thing. What happens to
// one order doesn't hang on the order in which goroutines run.
func (s *sim) stream(what ...any) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintln(h, what...)
	return rand.New(rand.NewPCG(s.seed, h.Sum64()))
}

func simBetween(r *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(r.Int64N(int64(to-from)))
}

func simPick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// log keeps what happened, for whoever reads about a broken rule.
func (s *sim) log(format string, args ...any) {
	line := fmt.Sprintf("%14s  ", time.Since(s.begun).Round(time.Millisecond)) + fmt.Sprintf(format, args...)
	s.mu.Lock()
	s.trace = append(s.trace, line)
	s.mu.Unlock()
}

// fail says that a rule is broken. The first one counts.
func (s *sim) fail(rule, format string, args ...any) {
	text := rule + ": " + fmt.Sprintf(format, args...)
	s.log("BROKEN %s", text)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken == "" {
		s.broken = text
	}
}

// simLife is one life of the host, from its start to its death.
type simLife struct {
	s     *sim
	host  *Host
	ended chan struct{}
	once  sync.Once
}

func (l *simLife) dead() bool {
	select {
	case <-l.ended:
		return true
	default:
		return false
	}
}

// kill is what SIGKILL does: from now on nothing that the host does has any
// effect, and nobody hears its answers.
func (l *simLife) kill() { l.once.Do(func() { close(l.ended) }) }

// simClock slows down housekeeping: a week has ten thousand minutes.
type simClock struct{ s *sim }

func (simClock) Now() time.Time { return time.Now() }

func (c simClock) After(d time.Duration) <-chan time.Time {
	switch {
	case d != setUpEvery:
	case c.s.quiet.Load():
		d = 24 * time.Hour
	default:
		d = time.Hour
	}
	return time.After(d)
}

// open starts the host. It may die while it starts.
func (s *sim) open() {
	for {
		l := &simLife{s: s, ended: make(chan struct{})}
		for _, p := range s.plugins {
			p.restart()
		}
		h, err := Open(context.Background(), s.cfg, func(h *Host) {
			h.engine, h.clock, h.stored = s.engine, simClock{s}, store.Options{NoSync: true, Commit: s.commit(l)}
			h.inMemory = func(p config.Provider) provider.Services { return simServices{s.plugins[p.Name], l} }
		})
		if err != nil && !errors.Is(err, errSimStore) {
			s.t.Fatal(err)
		}
		if err != nil {
			s.log("the host can't start: %v", err)
			s.storeWorks()
			continue
		}
		l.host = h
		s.mu.Lock()
		s.life = l
		s.mu.Unlock()
		if !l.dead() {
			return
		}
		s.log("the host dies while it starts")
		s.bury(l)
	}
}

// bury ends what is left of a dead host: its goroutines.
func (s *sim) bury(l *simLife) {
	_ = l.host.store.Close() // a second time it does nothing
	_ = l.host.Close(context.Background())
}

// pass lets time pass. A host that dies meanwhile stays away for the rest of it.
func (s *sim) pass(d time.Duration) {
	over := time.After(d)
	select {
	case <-over:
	case <-s.life.ended:
		s.log("the host is dead")
		s.bury(s.life)
		<-over
	}
}

// restart starts the host after its death.
func (s *sim) restart() {
	s.log("the host is started again")
	s.bury(s.life)
	s.forgetAnswers()
	s.open()
}

// now returns the life that answers requests.
func (s *sim) now() *simLife {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.life
}

func (s *sim) close() {
	s.quiet.Store(true)
	s.storeWorks()
	_ = s.life.host.Close(context.Background())
	s.calm()
	_ = s.db.Close()
}

// becomeQuiet mends everything, and waits for who is still busy.
func (s *sim) becomeQuiet() {
	s.quiet.Store(true)
	s.storeWorks()
	for _, p := range s.plugins {
		p.repair()
	}
	if s.life.dead() {
		s.restart()
	}
	s.calm()
}

// spawn does something beside the steps.
func (s *sim) spawn(do func()) {
	s.busy.Add(1)
	go func() {
		defer s.busy.Add(-1)
		do()
	}()
}

// calm waits until nobody does anything. No WaitGroup: the host may make an
// acquirer busy again.
func (s *sim) calm() {
	for s.busy.Load() > 0 {
		s.sleep(time.Minute)
	}
}

// The store fails for a while, or kills the host at one of its commits.

var errSimStore = errors.New("the simulated store failed")

type simStore struct {
	downFrom  time.Time
	downUntil time.Time
	dieIn     int // commits from now; 0: not
	commits   int
}

func (s *sim) storeWorks() {
	s.mu.Lock()
	s.store.downUntil, s.store.dieIn = time.Time{}, 0
	s.mu.Unlock()
}

// commit is the end of each transaction of a life.
func (s *sim) commit(l *simLife) func(*sql.Tx) error {
	return func(tx *sql.Tx) error {
		s.mu.Lock()
		s.store.commits++
		now := time.Now()
		fails := !now.Before(s.store.downFrom) && now.Before(s.store.downUntil)
		if s.store.dieIn > 0 {
			if s.store.dieIn--; s.store.dieIn == 0 {
				l.kill()
				fails = true
			}
		}
		// Half of the commits that fail are durable: only the answer is lost.
		durable := s.stream("commit", now.Sub(s.begun)).IntN(2) == 0
		already := l.dead() && !fails
		s.mu.Unlock()
		switch {
		case already || fails && !durable:
			_ = tx.Rollback()
			return errSimStore
		case fails:
			if err := tx.Commit(); err != nil {
				return err
			}
			return errSimStore
		default:
			return tx.Commit()
		}
	}
}
