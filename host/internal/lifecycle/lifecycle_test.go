package lifecycle_test

import (
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/sdk"
)

func money(t interface{ Fatal(...any) }, amount, currency string) sdk.Money {
	m, err := sdk.ParseMoney(amount, currency)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// ours is the order that every test asks about.
func ours(t interface{ Fatal(...any) }) sdk.Order {
	return sdk.Order{MerchantOrderID: "order-1", AcquirerOrderID: "acq-1", Money: money(t, "100.00", "HKD")}
}

// transitions is the whole table: a row for each state, a column for what the
// acquirer says of our own order. A cell is the new state, or
//
//	.     nothing happens
//	late  nothing moves, a person looks: paid after all
//	flag  nothing moves, a person looks: the end is another one
var transitions = []struct{ row, why string }{
	//            UNKNOWN CREATED PENDING AUTHORIZED SUCCEEDED CANCELLED EXPIRED FAILED
	{"CREATED     UNKNOWN UNKNOWN PENDING AUTHORIZED SUCCEEDED CANCELLED EXPIRED FAILED", "Create was answered, so there may be an order; CREATED itself is the host's word and says nothing"},
	{"UNKNOWN     .       .       PENDING AUTHORIZED SUCCEEDED CANCELLED EXPIRED FAILED", "anything that the acquirer knows is more than we know"},
	{"PENDING     .       .       .       AUTHORIZED SUCCEEDED CANCELLED EXPIRED FAILED", "an answer that says nothing must not undo what is known"},
	{"AUTHORIZED  .       .       .       .          SUCCEEDED CANCELLED EXPIRED FAILED", "a PENDING that comes late is older than the authorization"},
	{"SUCCEEDED   .       .       .       .          .         flag      flag    flag  ", "paid is final; an acquirer that takes it back needs a person, and one that lags is ignored"},
	{"CANCELLED   .       .       .       flag       late      .         flag    flag  ", "unpaid is final; money that is there (or held) after all needs a person"},
	{"EXPIRED     .       .       .       flag       late      flag      .       flag  ", "as CANCELLED"},
	{"FAILED      .       .       .       flag       late      flag      flag    .     ", "as CANCELLED"},
}

var columns = strings.Fields("UNKNOWN CREATED PENDING AUTHORIZED SUCCEEDED CANCELLED EXPIRED FAILED")

func TestAnswer(t *testing.T) {
	covered := map[sdk.Status]bool{}
	for _, tr := range transitions {
		cells := strings.Fields(tr.row)
		from := sdk.ParseStatus(cells[0])
		covered[from] = true
		for i, cell := range cells[1:] {
			said := sdk.ParseStatus(columns[i])
			t.Run(from.String()+" says "+said.String(), func(t *testing.T) {
				got := lifecycle.Answer(lifecycle.Payment{Status: from, Order: ours(t)}, sdk.Payment{Order: ours(t), Status: said, StatusReason: "because"})
				checkCell(t, got, from, cell, tr.why)
			})
		}
	}
	for _, s := range sdk.Statuses() {
		if !covered[s] {
			t.Errorf("the table lacks a row for %s", s)
		}
	}
}

func checkCell(t *testing.T, got lifecycle.Verdict, from sdk.Status, cell, why string) {
	t.Helper()
	want := lifecycle.Verdict{Status: from, Believed: got.Believed, Detail: got.Detail}
	switch cell {
	case ".":
	case "late":
		want.Review = lifecycle.LateSuccess
	case "flag":
		want.Review = lifecycle.Mismatch
	default:
		want.Status, want.Moved = sdk.ParseStatus(cell), true
	}
	if got != want {
		t.Errorf("got %+v, want %+v: %s", got, want, why)
	}
	if got.Review != "" && (got.Believed || !strings.Contains(got.Detail, "acquirer now says")) {
		t.Errorf("a contrary answer must not be taken over, and the timeline must say what it was: %+v", got)
	}
	if got.Moved && (!got.Believed || got.Detail != "because") {
		t.Errorf("what moves a payment is believed, with its reason: %+v", got)
	}
}

// What a terminal payment knows stays: an answer in its own state may add to it,
// an older one must not overwrite it.
func TestAnswerIsTakenOverOnlyInStep(t *testing.T) {
	for _, tt := range []struct {
		from, said sdk.Status
		believed   bool
	}{
		{sdk.StatusPending, sdk.StatusPending, true},
		{sdk.StatusPending, sdk.StatusUnknown, true},
		{sdk.StatusSucceeded, sdk.StatusSucceeded, true},
		{sdk.StatusSucceeded, sdk.StatusPending, false},
		{sdk.StatusExpired, sdk.StatusUnknown, false},
		{sdk.StatusFailed, sdk.StatusSucceeded, false},
	} {
		got := lifecycle.Answer(lifecycle.Payment{Status: tt.from, Order: ours(t)}, sdk.Payment{Order: ours(t), Status: tt.said})
		if got.Believed != tt.believed {
			t.Errorf("%s, told %s: believed is %t", tt.from, tt.said, got.Believed)
		}
	}
}

func TestAnswerWithStatusUnheardOf(t *testing.T) {
	for _, from := range sdk.Statuses() {
		got := lifecycle.Answer(lifecycle.Payment{Status: from, Order: ours(t)}, sdk.Payment{Order: ours(t), Status: 200})
		want := from
		if from == sdk.StatusCreated {
			want = sdk.StatusUnknown
		}
		if got.Status != want || got.Review != "" {
			t.Errorf("%s, told number 200: %+v", from, got)
		}
	}
}

// A success must name our order, amount and currency; see sdk.Payment.Differences.
var lies = []struct {
	name   string
	change func(t *testing.T, p *sdk.Payment)
	// only a claim of money is refused for what it leaves out
	onlyMoney bool
}{
	{"another merchant order", func(_ *testing.T, p *sdk.Payment) { p.MerchantOrderID = "order-2" }, false},
	{"another acquirer order", func(_ *testing.T, p *sdk.Payment) { p.AcquirerOrderID = "acq-2" }, false},
	{"another amount", func(t *testing.T, p *sdk.Payment) { p.Money = money(t, "10.00", "HKD") }, false},
	{"a cent less", func(t *testing.T, p *sdk.Payment) { p.Money = money(t, "99.99", "HKD") }, false},
	{"another currency", func(t *testing.T, p *sdk.Payment) { p.Money = money(t, "100.00", "CNY") }, false},
	{"no amount", func(_ *testing.T, p *sdk.Payment) { p.Money = sdk.Money{} }, true},
	{"no merchant order", func(_ *testing.T, p *sdk.Payment) { p.MerchantOrderID = "" }, true},
	{"no acquirer order", func(_ *testing.T, p *sdk.Payment) { p.AcquirerOrderID = "" }, true},
	{"no ids", func(_ *testing.T, p *sdk.Payment) { p.MerchantOrderID, p.AcquirerOrderID = "", "" }, true},
	{"nothing but the status", func(_ *testing.T, p *sdk.Payment) { p.Order = sdk.Order{} }, true},
}

func TestMismatchMovesNothing(t *testing.T) {
	for _, lie := range lies {
		for _, from := range sdk.Statuses() {
			for _, said := range sdk.Statuses() {
				claims := said == sdk.StatusSucceeded || said == sdk.StatusAuthorized
				if lie.onlyMoney && !claims {
					continue
				}
				answer := sdk.Payment{Order: ours(t), Status: said}
				lie.change(t, &answer)
				got := lifecycle.Answer(lifecycle.Payment{Status: from, Order: ours(t)}, answer)
				want := from
				if from == sdk.StatusCreated { // Create was answered: something is there
					want = sdk.StatusUnknown
				}
				if got.Status != want || got.Moved != (want != from) || got.Review != lifecycle.Mismatch || got.Believed {
					t.Errorf("%s, %s says %s: %+v; a person must look, and nothing else may happen", from, lie.name, said, got)
				}
				if !strings.Contains(got.Detail, ", but ") {
					t.Errorf("%s: the timeline doesn't say what differs: %q", lie.name, got.Detail)
				}
			}
		}
	}
}

// Before the acquirer's id is known, the merchant's id and the amount make a
// success; equal amounts in other words are equal.
func TestSuccessWithoutKnownAcquirerOrder(t *testing.T) {
	order := ours(t)
	order.AcquirerOrderID = ""
	p := lifecycle.Payment{Status: sdk.StatusUnknown, Order: order}
	answer := sdk.Payment{Order: ours(t), Status: sdk.StatusSucceeded}
	answer.Money = money(t, "100", "HKD")
	if got := lifecycle.Answer(p, answer); got.Status != sdk.StatusSucceeded || !got.Moved || !got.Believed {
		t.Errorf("got %+v", got)
	}
	answer.MerchantOrderID = ""
	if got := lifecycle.Answer(p, answer); got.Status != sdk.StatusUnknown || got.Review != lifecycle.Mismatch {
		t.Errorf("a success that doesn't name our order: %+v", got)
	}
}

func TestLegal(t *testing.T) {
	for _, from := range sdk.Statuses() {
		for _, to := range sdk.Statuses() {
			legal := lifecycle.Legal(from, to)
			switch {
			case legal && from.Terminal():
				t.Errorf("%s is final, but may become %s", from, to)
			case legal && (from == to || to == sdk.StatusCreated):
				t.Errorf("%s may become %s", from, to)
			case !legal && !from.Terminal() && to.Terminal():
				t.Errorf("%s can never become %s, so such a payment would be open for ever", from, to)
			}
		}
	}
}

func TestCreateError(t *testing.T) {
	for _, tt := range []struct {
		err  *sdk.Error
		want sdk.Status
		why  string
	}{
		{sdk.NotSent(sdk.CodeAcquirerRateLimited, "slow down"), sdk.StatusCreated, "nothing happened: another provider may be tried"},
		{sdk.Refused(sdk.CodeRefused, "no"), sdk.StatusFailed, "a final no"},
		{sdk.Unknown(sdk.CodePluginTimeout, "late"), sdk.StatusUnknown, "there may be an order"},
		{sdk.Unknown(sdk.CodeRefused, "odd"), sdk.StatusUnknown, "the outcome counts, not the code"},
		{sdk.NotSent(sdk.CodeOrderNotFound, "odd"), sdk.StatusCreated, "the outcome counts, not the code"},
		{&sdk.Error{Code: sdk.CodeRefused, Outcome: 77}, sdk.StatusUnknown, "an outcome unheard of means the careful thing"},
		{&sdk.Error{}, sdk.StatusUnknown, "so does an error without any"},
	} {
		got := lifecycle.CreateError(lifecycle.Payment{Status: sdk.StatusCreated, Order: ours(t)}, tt.err)
		if got.Status != tt.want || got.Moved != (tt.want != sdk.StatusCreated) || got.Review != "" || got.Believed || got.Detail == "" {
			t.Errorf("%v: got %+v, want %s: %s", tt.err, got, tt.want, tt.why)
		}
		for _, from := range sdk.Statuses() {
			if from == sdk.StatusCreated {
				continue
			}
			if got := lifecycle.CreateError(lifecycle.Payment{Status: from, Order: ours(t)}, tt.err); got.Status != from || got.Moved {
				t.Errorf("%s, %v: %+v; of this payment it is known that there may be an order", from, tt.err, got)
			}
		}
	}
}

func TestQueryError(t *testing.T) {
	const settling = 10 * time.Minute
	sent := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	notFound := sdk.NotSent(sdk.CodeOrderNotFound, "no such order")
	lost := func() lifecycle.Payment {
		order := ours(t)
		order.AcquirerOrderID = ""
		return lifecycle.Payment{Status: sdk.StatusUnknown, Order: order, SentAt: sent}
	}
	for _, tt := range []struct {
		why      string
		change   func(*lifecycle.Payment)
		err      *sdk.Error
		after    time.Duration
		settling time.Duration
		lost     bool
	}{
		{"everything holds", nil, notFound, settling, settling, true},
		{"a moment before the settling time is over", nil, notFound, settling - 1, settling, false},
		{"a short settling time, while the request may be under way", nil, notFound, 70*time.Second - 1, time.Second, false},
		{"a short settling time, afterwards", nil, notFound, 70 * time.Second, time.Second, true},
		{"the clock went back", nil, notFound, -time.Hour, settling, false},
		{"the plugin gives no settling time", nil, notFound, 24 * time.Hour, 0, false},
		{"a settling time below zero", nil, notFound, 24 * time.Hour, -time.Hour, false},
		{"nobody knows when it was sent", func(p *lifecycle.Payment) { p.SentAt = time.Time{} }, notFound, settling, settling, false},
		{"a next action was handed out", func(p *lifecycle.Payment) { p.ActionHanded = true }, notFound, settling, settling, false},
		{"the acquirer had named the order", func(p *lifecycle.Payment) { p.Order.AcquirerOrderID = "acq-1" }, notFound, settling, settling, false},
		{"another code", nil, sdk.NotSent(sdk.CodeNotFound, "404"), settling, settling, false},
		{"a refusal of the question", nil, sdk.Refused(sdk.CodeRefused, "no"), settling, settling, false},
		{"no answer", nil, sdk.Unknown(sdk.CodeAcquirerTimeout, "late"), settling, settling, false},
	} {
		t.Run(tt.why, func(t *testing.T) {
			p := lost()
			if tt.change != nil {
				tt.change(&p)
			}
			got := lifecycle.QueryError(p, tt.err, sent.Add(tt.after), tt.settling)
			want := lifecycle.Verdict{Status: sdk.StatusUnknown, Detail: tt.err.Error()}
			if tt.lost {
				want = lifecycle.Verdict{Status: sdk.StatusFailed, Moved: true, Detail: sdk.CodeCreateLost.Info().Title}
			}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
	about := sdk.Unknown(sdk.CodeMismatch, "two orders carry the id")
	for _, from := range sdk.Statuses() {
		p := lost()
		p.Status = from
		want := lifecycle.Verdict{Status: from, Review: lifecycle.Mismatch, Detail: about.Error()}
		if got := lifecycle.QueryError(p, about, sent.Add(settling), settling); got != want {
			t.Errorf("a mismatch of a payment that is %s: %+v, want %+v", from, got, want)
		}
		if from == sdk.StatusUnknown {
			continue
		}
		if got := lifecycle.QueryError(p, notFound, sent.Add(settling), settling); got.Status != from || got.Moved || got.Review != "" {
			t.Errorf("a payment that is %s was ended by NOT_FOUND: %+v", from, got)
		}
	}
}
