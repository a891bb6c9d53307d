package rules_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/sdk/providertest/rules"
)

func TestVerdicts(t *testing.T) { synctest.Test(t, testVerdicts) }

func testVerdicts(t *testing.T) {
	stuck := make(chan struct{})
	defer close(stuck)
	var order []string
	table := []rules.Rule[int]{
		{ID: "a/pass", Check: func(t *rules.T, n int) { t.Logf("%d", n) }},
		{ID: "a/fail", Check: func(t *rules.T, _ int) { t.Errorf("wrong"); t.Errorf("twice") }},
		{ID: "a/fatal", Check: func(t *rules.T, _ int) {
			t.Cleanup(func() { order = append(order, "first") })
			t.Cleanup(func() { order = append(order, "last") })
			t.Fatalf("enough")
			order = append(order, "never")
		}},
		{ID: "a/skip", Check: func(t *rules.T, _ int) { t.Skipf("there is none") }},
		{ID: "a/failed before it was skipped", Check: func(t *rules.T, _ int) { t.Errorf("wrong"); t.Skipf("there is none") }},
		{ID: "a/failed and can't tell", Check: func(t *rules.T, _ int) { t.Errorf("wrong"); t.Inconclusive("no such answer") }},
		{ID: "a/says it often", Check: func(t *rules.T, _ int) { t.Logf("n"); t.Logf("n"); t.Errorf("m") }},
		{ID: "a/panic", Check: func(*rules.T, int) { panic("boom") }},
		{ID: "a/hang", Limit: 20 * time.Millisecond, Check: func(*rules.T, int) { <-stuck }},
		{ID: "a/late", Limit: 20 * time.Millisecond, Check: func(t *rules.T, _ int) { <-t.Context().Done(); t.Fatalf("no answer") }},
	}
	want := []struct {
		verdict rules.Verdict
		says    string
	}{
		{rules.Pass, "7"}, {rules.Fail, "wrong twice"}, {rules.Fail, "enough"}, {rules.Skip, "there is none"},
		{rules.Fail, "wrong"}, {rules.Skip, "wrong no such answer"}, {rules.Fail, "n m"}, {rules.Fail, "boom"}, {rules.Fail, "did not end within 20ms"}, {rules.Fail, "no answer"},
	}
	var told int
	results := rules.Check(t.Context(), table, 7, func(rules.Result) { told++ })
	if len(results) != len(want) || told != len(want) {
		t.Fatalf("%d results, told of %d", len(results), told)
	}
	for i, r := range results {
		if r.ID != table[i].ID || r.Verdict != want[i].verdict || !strings.Contains(strings.Join(r.Details, " "), want[i].says) {
			t.Errorf("%+v, want %+v", r, want[i])
		}
	}
	if !slices.Equal(order, []string{"last", "first"}) {
		t.Errorf("cleaned up %q", order)
	}
}
