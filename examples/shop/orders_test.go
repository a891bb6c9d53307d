package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestJournalSurvivesRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "orders.jsonl")
	j, err := OpenJournal(file)
	if err != nil {
		t.Fatal(err)
	}
	o := newOrder(catalog[0], 2, time.Now())
	a := Attempt{ID: newID(), Order: o.ID, Method: "alipay_hk", Flow: flowQR, At: time.Now().UTC()}
	if err := errors.Join(j.AddOrder(o), j.AddAttempt(a), j.AddAttempt(a), j.Close()); err != nil {
		t.Fatal(err)
	}
	// The process died in the middle of a line.
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"attempt":{"id":"01`); err != nil {
		t.Fatal(err)
	}
	f.Close()

	if j, err = OpenJournal(file); err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	got, attempts, ok := j.Order(o.ID)
	if !ok || got != o || len(attempts) != 1 || attempts[0] != a {
		t.Errorf("read %+v with %+v", got, attempts)
	}
	if err := j.AddOrder(newOrder(catalog[1], 1, time.Now())); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(file)
	if err != nil || strings.Count(string(raw), "\n") != 3 || strings.Contains(string(raw), `"01{`) {
		t.Errorf("%v, file:\n%s", err, raw)
	}
}

func TestJournalRefusesDamage(t *testing.T) {
	for name, content := range map[string]string{
		"not JSON": "oops\n{}\n",
		"nothing":  "{}\n",
		"orphan":   `{"attempt":{"id":"a","order":"b"}}` + "\n",
	} {
		file := filepath.Join(t.TempDir(), "orders.jsonl")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenJournal(file); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := OpenJournal(t.TempDir()); err == nil {
		t.Error("a folder was taken for a journal")
	}
}

func TestAttemptBelongsToOneOrder(t *testing.T) {
	j, _ := OpenJournal("")
	o, other := newOrder(catalog[0], 1, time.Now()), newOrder(catalog[0], 1, time.Now())
	a := Attempt{ID: newID(), Order: o.ID, Method: "alipay_hk", Flow: flowQR}
	if err := errors.Join(j.AddOrder(o), j.AddOrder(other), j.AddAttempt(a)); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(*Attempt){
		func(a *Attempt) { a.Order = other.ID },
		func(a *Attempt) { a.Method = "alipay_cn" },
		func(a *Attempt) { a.Flow = flowMobile },
	} {
		b := a
		change(&b)
		if err := j.AddAttempt(b); !errors.Is(err, errAttemptTaken) {
			t.Errorf("%+v: %v", b, err)
		}
	}
}

func TestLockWaitsNoLongerThanAsked(t *testing.T) {
	j, _ := OpenJournal("")
	o := newOrder(catalog[0], 1, time.Now())
	if err := j.AddOrder(o); err != nil {
		t.Fatal(err)
	}
	unlock, err := j.Lock(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Lock(gone, o.ID); !errors.Is(err, context.Canceled) {
		t.Errorf("a held lock: %v", err)
	}
	unlock()
	unlock, err = j.Lock(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

// The host must not hear of an attempt that could be forgotten.
func TestNothingIsSentUnlessKept(t *testing.T) {
	s := newTestShop(t, "")
	j, err := OpenJournal(filepath.Join(t.TempDir(), "orders.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	s.start(j)
	order := s.order()
	page := s.get(order)
	j.Close() // every write fails from here on
	a := s.press(page, "pay-alipay_hk")
	s.want(a, 500, stateUnavailable)
	if len(s.api.sent()) != 0 {
		t.Error("an attempt was sent that is not in the journal")
	}
	if strings.Contains(s.get(order).body, `class="attempt"`) {
		t.Error("an attempt that was not kept is listed")
	}
}

// A shop that died between writing an attempt down and hearing of it asks the
// host after the restart.
func TestRestartInTheMiddle(t *testing.T) {
	file := filepath.Join(t.TempDir(), "orders.jsonl")
	s := newTestShop(t, file)
	order := s.order()
	s.api.next(func(w http.ResponseWriter, req CreateRequest) {
		s.api.store(req, "PENDING")
		s.api.setDown(true) // the look-up after the lost answer is lost as well
		drop(w)
	})
	s.want(s.land(s.payWith(order, "alipay_hk")), 200, stateChecking)
	s.api.setDown(false)

	j, err := OpenJournal(file)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	s.start(j)
	page := s.get(order + "/return")
	s.want(page, 200, statePending)
	if !page.has("continue-payment") {
		t.Error("the attempt that was written down can't be continued")
	}
}

func TestIDs(t *testing.T) {
	if id := newID(); !validID(id) || len(id) > 32 || validID(strings.ToLower(id)) || validID("8ZZZZZZZZZZZZZZZZZZZZZZZZZ") || validID("") {
		t.Errorf("%q", id)
	}
}
