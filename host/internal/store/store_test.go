package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paymux/paymux/host/internal/pgtest"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := OpenSQLite(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func openNew(t *testing.T) *Store {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "paymux.db"))
}

// onBoth runs a test on each engine: what holds on one holds on the other.
func onBoth(t *testing.T, test func(*testing.T, *Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, openNew(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, openPostgres(t, pgtest.New(t))) })
}

func openPostgres(t *testing.T, url string) *Store {
	t.Helper()
	s, err := OpenPostgres(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// payment is a row of merchant shop, changed as the test needs it.
func payment(id string, change func(*sqlgen.Payment)) sqlgen.Payment {
	p := sqlgen.Payment{
		ID: "pay_" + id, Version: 1, Merchant: "shop", MerchantOrderID: "order-" + id, Amount: "100.00", Currency: "HKD",
		Provider: "main", Account: "account-1", Status: "PENDING", CreateState: "answered", NextActions: "[]", ReviewObserved: "null",
	}
	if change != nil {
		change(&p)
	}
	return p
}

// insert fails the test if it can't.
func insert(t *testing.T, s *Store, payments ...sqlgen.Payment) {
	t.Helper()
	err := s.Update(t.Context(), func(tx *Tx) error {
		for _, p := range payments {
			if err := tx.InsertPayment(t.Context(), sqlgen.InsertPaymentParams(p)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// save writes a payment back as the host does; n is how many rows it changed.
func save(ctx context.Context, tx *Tx, p sqlgen.Payment) (n int64, err error) {
	return tx.UpdatePayment(ctx, sqlgen.UpdatePaymentParams{
		Provider: p.Provider, Account: p.Account, AcquirerOrderID: p.AcquirerOrderID, Status: p.Status, StatusReason: p.StatusReason,
		ErrorCode: p.ErrorCode, RawStatus: p.RawStatus, NextActions: p.NextActions, CreateState: p.CreateState, SentAt: p.SentAt, PaidAt: p.PaidAt,
		UpdatedAt: p.UpdatedAt, DueAt: p.DueAt, Tries: p.Tries, ReviewReason: p.ReviewReason, ReviewSince: p.ReviewSince, ReviewObserved: p.ReviewObserved,
		ID: p.ID, Version: p.Version,
	})
}

func TestOpenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "paymux.db")
	want := payment("1", func(p *sqlgen.Payment) { p.Description = "tea, 茶 ' \" ; --\x00" })
	s := open(t, path)
	insert(t, s, want)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := open(t, path).Read().Payment(t.Context(), want.ID)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

// The path is one of the file system, whatever it means in a URL.
func TestPaths(t *testing.T) {
	for _, name := range []string{
		"plain.db", "with space.db", "what?mode=memory", "#1.db", "100%.db", "%41.db", "a&_pragma=x.db", "a;b'\".db", "茶.db", "+.db", ":memory:", "file:x.db", "a\\b.db",
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "folder of "+name)
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			t.Chdir(dir)
			for _, path := range []string{filepath.Join(dir, name), name, "./" + name, "../" + filepath.Base(dir) + "/" + name} {
				s := open(t, path)
				if _, err := s.Read().Payment(t.Context(), "pay_1"); path == filepath.Join(dir, name) {
					insert(t, s, payment("1", nil))
				} else if err != nil {
					t.Errorf("%s is another database: %v", path, err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) != 2 || left[0].Name() != name || left[1].Name() != name+".lock" {
				t.Errorf("the folder holds %v (%v)", left, err)
			}
		})
	}
}

// Payments are nobody else's business on the machine.
func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := filepath.Join(t.TempDir(), "paymux.db")
	insert(t, open(t, path), payment("1", nil))
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", info.Name(), info.Mode())
		}
	}
}

func pragma(t *testing.T, db *sql.DB, name string) (value string) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&value); err != nil {
		t.Fatal(name, err)
	}
	return value
}

// Durability rests on settings that SQLite takes silently or not at all.
func TestSettings(t *testing.T) {
	s := openNew(t)
	s.write.SetMaxIdleConns(0) // each question is of a new connection: they hold for those too
	s.read.SetMaxIdleConns(0)
	for _, tt := range []struct{ name, write, read, why string }{
		{"journal_mode", "wal", "wal", "readers never wait for the writer"},
		{"synchronous", "2", "", "an acknowledged commit survives a power cut"},
		{"fullfsync", "1", "", "also on macOS, whose fsync stops at the disk's cache"},
		{"foreign_keys", "1", "1", "no timeline without its payment"},
		{"busy_timeout", "10000", "10000", "a lock held by a backup is waited for"},
		{"query_only", "0", "1", "what reads must not write"},
	} {
		if got := pragma(t, s.write, tt.name); got != tt.write {
			t.Errorf("%s is %s for the writer, not %s: %s", tt.name, got, tt.write, tt.why)
		}
		if got := pragma(t, s.read, tt.name); tt.read != "" && got != tt.read {
			t.Errorf("%s is %s for readers, not %s: %s", tt.name, got, tt.read, tt.why)
		}
	}
	if got := s.write.Stats().MaxOpenConnections; got != 1 {
		t.Errorf("%d writers", got)
	}
	if err := s.Read().InsertPayment(t.Context(), sqlgen.InsertPaymentParams(payment("1", nil))); err == nil {
		t.Error("a reader wrote")
	}
}

func TestUnique(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		insert(t, s, payment("1", nil))
		same := payment("2", func(p *sqlgen.Payment) { p.MerchantOrderID = "order-1" })
		err := s.Update(t.Context(), func(tx *Tx) error {
			return tx.InsertPayment(t.Context(), sqlgen.InsertPaymentParams(same))
		})
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), "unique") {
			t.Errorf("a second payment with the same merchant_order_id: %v", err)
		}
		same.Merchant = "another shop"
		insert(t, s, same) // which has order ids of its own

		// But at one account of an acquirer an order id is taken once, whoever's it is.
		claim := func(id string) (n int64) {
			err := s.Update(t.Context(), func(tx *Tx) (err error) {
				n, err = tx.InsertSentOrder(t.Context(), sqlgen.InsertSentOrderParams{Account: "account-1", MerchantOrderID: "order-1", PaymentID: id})
				return err
			})
			if err != nil {
				t.Error(err)
			}
			return n
		}
		if first, second := claim("pay_1"), claim("pay_2"); first != 1 || second != 0 {
			t.Errorf("claimed %d and %d times", first, second)
		}
		if got, err := s.Read().SentOrder(t.Context(), sqlgen.SentOrderParams{Account: "account-1", MerchantOrderID: "order-1"}); got != "pay_1" || err != nil {
			t.Errorf("the order is of %q (%v)", got, err)
		}
	})
}

func TestRefusedValues(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		for name, change := range map[string]func(*sqlgen.Payment){
			"status":       func(p *sqlgen.Payment) { p.Status = "PAID" },
			"create_state": func(p *sqlgen.Payment) { p.CreateState = "" },
		} {
			err := s.Update(t.Context(), func(tx *Tx) error {
				return tx.InsertPayment(t.Context(), sqlgen.InsertPaymentParams(payment("1", change)))
			})
			if err == nil {
				t.Errorf("a payment with a %s unheard of was stored", name)
			}
		}
		err := s.Update(t.Context(), func(tx *Tx) error {
			return tx.AppendTimeline(t.Context(), sqlgen.AppendTimelineParams{PaymentID: "pay_absent", Kind: "note"})
		})
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), "foreign key") {
			t.Errorf("a timeline without a payment: %v", err)
		}
	})
}

// Who read an earlier version doesn't overwrite what came after it.
func TestLostUpdate(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		stale := payment("1", nil)
		insert(t, s, stale)
		for i, want := range []int64{1, 0} {
			p := stale
			p.Tries = int64(i + 1)
			err := s.Update(t.Context(), func(tx *Tx) error {
				n, err := save(t.Context(), tx, p)
				if n != want {
					t.Errorf("update %d of version 1 changed %d rows, want %d", i, n, want)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		if got, err := s.Read().Payment(t.Context(), stale.ID); got.Version != 2 || got.Tries != 1 || err != nil {
			t.Errorf("version %d, tries %d (%v)", got.Version, got.Tries, err)
		}
	})
}

func TestConcurrentUpdates(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		const n = 50
		insert(t, s, payment("1", nil))
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				err := s.Update(t.Context(), func(tx *Tx) error {
					p, err := tx.Payment(t.Context(), "pay_1")
					if err != nil {
						return err
					}
					p.Tries++
					if n, err := save(t.Context(), tx, p); n != 1 || err != nil {
						return errors.Join(errors.New("lost an update"), err)
					}
					return tx.AppendTimeline(t.Context(), sqlgen.AppendTimelineParams{PaymentID: p.ID, Kind: "note", Status: p.Status})
				})
				if err != nil {
					t.Error(err)
				}
			})
			all.Go(func() { // readers don't wait for writers, nor keep them waiting
				p, err := s.Read().Payment(t.Context(), "pay_1")
				if err != nil || p.Tries+1 != p.Version {
					t.Errorf("read half an update: version %d, tries %d, %v", p.Version, p.Tries, err)
				}
			})
		}
		all.Wait()
		p, err := s.Read().Payment(t.Context(), "pay_1")
		timeline, errTimeline := s.Read().Timeline(t.Context(), "pay_1")
		if p.Tries != n || len(timeline) != n || err != nil || errTimeline != nil {
			t.Fatalf("%d tries and %d entries, want %d of both (%v, %v)", p.Tries, len(timeline), n, err, errTimeline)
		}
		for i, entry := range timeline {
			if entry.Seq != int64(i+1) {
				t.Fatalf("entry %d has number %d", i, entry.Seq)
			}
		}
	})
}

// From its first read an Update has the writer's lock: a backup or a person with
// a shell can't write between its read and its write.
func TestUpdateHoldsTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "paymux.db")
	s := open(t, path)
	insert(t, s, payment("1", nil))
	outside, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	write := func() error {
		_, err := outside.ExecContext(t.Context(), "UPDATE payments SET tries = tries + 1")
		return err
	}
	update(t, s, func(tx *Tx) error {
		if err := write(); err == nil || !strings.Contains(err.Error(), "locked") {
			t.Errorf("somebody else wrote: %v", err)
		}
		return nil
	})
	if err := write(); err != nil {
		t.Errorf("the lock is still held: %v", err)
	}
}

// Whatever ends an Update before its commit leaves nothing behind, not even the
// writer's lock.
func TestUpdateThatFails(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		put := func(ctx context.Context, tx *Tx) {
			if err := tx.InsertPayment(ctx, sqlgen.InsertPaymentParams(payment("1", nil))); err != nil {
				t.Error(err)
			}
		}
		failure := errors.New("no")
		if err := s.Update(t.Context(), func(tx *Tx) error { put(t.Context(), tx); return failure }); !errors.Is(err, failure) {
			t.Error(err)
		}
		if err := s.Update(t.Context(), func(tx *Tx) error { put(t.Context(), tx); panic("at the worst moment") }); err == nil {
			t.Error("a panic is no success")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Update(ctx, func(*Tx) error { t.Error("ran after its context ended"); return nil }); err == nil {
			t.Error("began after its context ended")
		}
		if _, err := s.Read().Payment(t.Context(), "pay_1"); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("something stayed: %v", err)
		}
		insert(t, s, payment("1", nil))
	})
}
