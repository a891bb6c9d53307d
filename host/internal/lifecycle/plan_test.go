package lifecycle_test

import (
	"testing"
	"time"

	"github.com/paymux/paymux/host/internal/lifecycle"
)

func TestNextQuery(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	own := []time.Duration{2 * time.Second, time.Minute}
	for _, tt := range []struct {
		why   string
		plan  []time.Duration
		tries int
		want  time.Duration
	}{
		{"the host's plan", nil, 0, 5 * time.Second},
		{"the host's plan", nil, 1, 15 * time.Second},
		{"the host's plan", nil, 2, time.Minute},
		{"the host's plan", nil, 3, 5 * time.Minute},
		{"the host's plan", nil, 4, time.Hour},
		{"then daily", nil, 5, 24 * time.Hour},
		{"the last step repeats", nil, 1000, 24 * time.Hour},
		{"tries below zero", nil, -1, 5 * time.Second},
		{"the plugin's plan", own, 0, 2 * time.Second},
		{"the plugin's plan repeats its last step", own, 7, time.Minute},
		{"a plan of nothing doesn't flood the acquirer", []time.Duration{0}, 3, time.Second},
		{"nor does a negative one", []time.Duration{-time.Hour}, 0, time.Second},
		{"a plan of years doesn't forget a payment", []time.Duration{1 << 62}, 0, 24 * time.Hour},
	} {
		if got := lifecycle.NextQuery(tt.plan, tt.tries, now).Sub(now); got != tt.want {
			t.Errorf("%s, after %d questions: asked again after %s, want %s", tt.why, tt.tries, got, tt.want)
		}
	}
	if lifecycle.StaleAfter != 7*24*time.Hour || lifecycle.NeverSentAfter != 24*time.Hour {
		t.Error("the design gives an open payment seven days, and one that was never sent a day")
	}
}
