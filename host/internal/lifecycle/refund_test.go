package lifecycle_test

import (
	"testing"
	"time"

	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/sdk"
)

func refundOf(status sdk.RefundStatus, sending bool) lifecycle.Refund {
	money, _ := sdk.ParseMoney("30.00", "HKD")
	return lifecycle.Refund{
		Status: status, Sending: sending, SentAt: time.Unix(1000, 0),
		Query: sdk.RefundQuery{MerchantRefundID: "r1", AcquirerRefundID: "R-1", Amount: money},
	}
}

// TestRefundAnswer goes through every state and every answer.
func TestRefundAnswer(t *testing.T) {
	const unknown, pending, succeeded, failed = sdk.RefundUnknown, sdk.RefundPending, sdk.RefundSucceeded, sdk.RefundFailed
	for _, tt := range []struct {
		is      sdk.RefundStatus
		sending bool
		says    sdk.RefundStatus
		want    sdk.RefundStatus
		review  lifecycle.ReviewReason
	}{
		{pending, true, pending, pending, ""},
		{pending, true, unknown, unknown, ""},
		{pending, true, succeeded, succeeded, ""},
		{pending, true, failed, failed, ""},
		{pending, false, unknown, pending, ""}, // it says nothing, so it moves nothing
		{pending, false, succeeded, succeeded, ""},
		{pending, false, failed, failed, ""},
		{unknown, false, unknown, unknown, ""},
		{unknown, false, pending, pending, ""},
		{unknown, false, succeeded, succeeded, ""},
		{unknown, false, failed, failed, ""},
		{succeeded, false, pending, succeeded, ""}, // an old answer
		{succeeded, false, unknown, succeeded, ""},
		{succeeded, false, succeeded, succeeded, ""},
		{succeeded, false, failed, succeeded, lifecycle.Mismatch},
		{failed, false, pending, failed, ""},
		{failed, false, unknown, failed, ""},
		{failed, false, failed, failed, ""},
		{failed, false, succeeded, failed, lifecycle.Mismatch}, // its amount may have been given back again since
	} {
		r := refundOf(tt.is, tt.sending)
		v := lifecycle.RefundAnswer(r, sdk.Refund{MerchantRefundID: "r1", Status: tt.says})
		old := (tt.is == succeeded || tt.is == failed) && tt.says != tt.is // by what it ended stays
		if v.Status != tt.want || v.Moved != (tt.want != tt.is) || v.Review != tt.review || v.Believed == old {
			t.Errorf("%s (sending %t), says %s: %+v", tt.is, tt.sending, tt.says, v)
		}
	}
}

func TestRefundMismatch(t *testing.T) {
	other, _ := sdk.ParseMoney("30.01", "HKD")
	for name, answer := range map[string]sdk.Refund{
		"another refund":       {MerchantRefundID: "r2"},
		"another acquirer id":  {MerchantRefundID: "r1", AcquirerRefundID: "R-2"},
		"another amount":       {MerchantRefundID: "r1", Amount: other},
		"success without a id": {Status: sdk.RefundSucceeded},
	} {
		for _, status := range []sdk.RefundStatus{sdk.RefundPending, sdk.RefundUnknown, sdk.RefundSucceeded, sdk.RefundFailed} {
			for _, sending := range []bool{true, false} {
				answer.Status = sdk.RefundSucceeded
				v := lifecycle.RefundAnswer(refundOf(status, sending), answer)
				if v.Believed || v.Review != lifecycle.Mismatch || v.Moved && v.Status != sdk.RefundUnknown {
					t.Errorf("%s, %s: %+v", name, status, v)
				}
			}
		}
	}
}

func TestRefundError(t *testing.T) {
	notSent, refused, lost := sdk.NotSent(sdk.CodePluginUnavailable, "x"), sdk.Refused(sdk.CodeRefused, "no"), sdk.Unknown(sdk.CodeAcquirerTimeout, "x")
	for _, tt := range []struct {
		is      sdk.RefundStatus
		sending bool
		err     *sdk.Error
		want    sdk.RefundStatus
	}{
		{sdk.RefundPending, true, notSent, sdk.RefundPending},
		{sdk.RefundPending, true, refused, sdk.RefundFailed},
		{sdk.RefundPending, true, lost, sdk.RefundUnknown},
		{sdk.RefundUnknown, false, refused, sdk.RefundUnknown}, // taken over: only a question can tell
		{sdk.RefundUnknown, true, refused, sdk.RefundUnknown},
		{sdk.RefundUnknown, false, lost, sdk.RefundUnknown},
		{sdk.RefundSucceeded, false, refused, sdk.RefundSucceeded},
		{sdk.RefundPending, false, refused, sdk.RefundPending},
	} {
		if v := lifecycle.RefundError(refundOf(tt.is, tt.sending), tt.err); v.Status != tt.want || v.Moved != (tt.want != tt.is) {
			t.Errorf("%s (sending %t), %v: %+v", tt.is, tt.sending, tt.err, v)
		}
	}
}

// TestRefundLost: FAILED frees the amount for another refund.
func TestRefundLost(t *testing.T) {
	const settling = 10 * time.Minute
	notFound := sdk.Unknown(sdk.CodeOrderNotFound, "x")
	change := func(c func(*lifecycle.Refund)) lifecycle.Refund {
		r := refundOf(sdk.RefundUnknown, false)
		r.Query.AcquirerRefundID = ""
		c(&r)
		return r
	}
	late := time.Unix(1000, 0).Add(settling)
	for name, tt := range map[string]struct {
		refund   lifecycle.Refund
		err      *sdk.Error
		now      time.Time
		settling time.Duration
		lost     bool
	}{
		"lost":                     {change(func(*lifecycle.Refund) {}), notFound, late, settling, true},
		"too early":                {change(func(*lifecycle.Refund) {}), notFound, late.Add(-1), settling, false},
		"under way":                {change(func(*lifecycle.Refund) {}), notFound, time.Unix(1000, 0).Add(70*time.Second - 1), time.Second, false},
		"no settling time":         {change(func(*lifecycle.Refund) {}), notFound, late, 0, false},
		"another error":            {change(func(*lifecycle.Refund) {}), sdk.Unknown(sdk.CodeAcquirerError, "x"), late, settling, false},
		"the acquirer knew it":     {change(func(r *lifecycle.Refund) { r.Query.AcquirerRefundID = "R-1" }), notFound, late, settling, false},
		"the acquirer spoke of it": {change(func(r *lifecycle.Refund) { r.Answered = true }), notFound, late, settling, false},
		"it was pending":           {change(func(r *lifecycle.Refund) { r.Status = sdk.RefundPending }), notFound, late, settling, false},
		"sent nobody knows when":   {change(func(r *lifecycle.Refund) { r.SentAt = time.Time{} }), notFound, late, settling, false},
	} {
		v := lifecycle.RefundQueryError(tt.refund, tt.err, tt.now, tt.settling)
		if v.Moved != tt.lost || tt.lost && v.Status != sdk.RefundFailed {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestNextSend(t *testing.T) {
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const day = 24 * time.Hour
	for _, tt := range []struct {
		why       string
		tries     int
		wish, age time.Duration
		want      time.Duration
	}{
		{"soon", 0, 0, 0, 5 * time.Second},
		{"then later", 1, 0, 0, 15 * time.Second},
		{"then later", 3, 0, 0, 5 * time.Minute},
		{"hourly in the end, never daily", 4, 0, 0, time.Hour},
		{"the last step repeats", 1000, 0, 0, time.Hour},
		{"tries below zero", -1, 0, 0, 5 * time.Second},
		{"the acquirer wants it later", 0, time.Minute, 0, time.Minute},
		{"the acquirer wants it sooner", 2, time.Second, 0, time.Minute},
		{"the acquirer wants it in a year", 0, 365 * day, 0, time.Hour},
		{"a wish below zero", 0, -time.Hour, 0, 5 * time.Second},
		{"at the end of the day it is given up", 9, 0, day - time.Minute, time.Minute},
		{"after it at once", 9, 0, day + time.Minute, -time.Minute},
	} {
		now := created.Add(tt.age)
		if got := lifecycle.NextSend(tt.tries, tt.wish, now, created).Sub(now); got != tt.want {
			t.Errorf("%s (%d tries, %v old): sent after %v, want %v", tt.why, tt.tries, tt.age, got, tt.want)
		}
	}
}

// TestRefundRetryAfter: the acquirer's wish is handed on only if nothing was sent.
func TestRefundRetryAfter(t *testing.T) {
	for _, outcome := range []sdk.Outcome{sdk.OutcomeNotSent, sdk.OutcomeUnknown, sdk.OutcomeRefused} {
		err := &sdk.Error{Code: sdk.CodeAcquirerRateLimited, Outcome: outcome, RetryAfter: time.Minute}
		got := lifecycle.RefundError(refundOf(sdk.RefundPending, true), err).RetryAfter
		if (got == time.Minute) != (outcome == sdk.OutcomeNotSent) {
			t.Errorf("%s: %v", outcome, got)
		}
	}
}
