// Package providertest checks that a provider keeps the contract of package sdk.
// Its author writes a [Harness], which says how to start a sandbox of the
// acquirer and how to pay at it, and a test:
//
//	func TestConformance(t *testing.T) {
//		providertest.Run(t, providertest.Harness{
//			Plugin: providertest.InProcess(acme.Plugin()),
//			Start:  func(t *rules.T, s providertest.Setup) providertest.Sandbox { … },
//		})
//	}
//
// Between provider and sandbox the kit puts a proxy, which delays, cuts and
// refuses as networks and servers do; so a sandbox needs no switches for that.
// Every case has an id and one sentence with its rule: docs/conformance.md lists
// them, and how to write a harness.
//
// There are no false alarms: what the kit reports breaks the contract. What it
// passes may still be wrong in ways that no case looks at.
package providertest

import (
	"context"
	"fmt"
	"slices"

	"github.com/paymux/paymux/sdk/providertest/rules"
	"github.com/paymux/paymux/sdk/schema"
)

// TB is *testing.T, of which the kit needs this much. It doesn't import package
// testing, so that the paymux command can run the same cases.
type TB[T any] interface {
	Helper()
	Context() context.Context
	Run(name string, f func(T)) bool
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	Logf(format string, args ...any)
}

// Run runs every case as a subtest of its id, and logs how many passed and how many
// were skipped.
func Run[T TB[T]](t T, h Harness) {
	t.Helper()
	s, err := newSubject(t.Context(), h)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer s.inbox.close()
	var all []rules.Result
	for _, c := range s.chosen() {
		t.Run(c.ID, func(t T) {
			t.Helper()
			r := rules.Run(t.Context(), c, s)
			all = append(all, r)
			switch r.Verdict {
			case rules.Fail:
				t.Errorf("%s", r.Says)
				for _, d := range r.Details {
					t.Errorf("%s", d)
				}
			case rules.Skip:
				t.Skipf("%v", r.Details)
			default:
				for _, d := range r.Details {
					t.Logf("%s", d)
				}
			}
		})
	}
	t.Logf("%s", rules.Count(all))
}

// Check runs every case without package testing. tell, if not nil, hears of each
// result as it comes. An error means that the plugin can't be asked at all.
func Check(ctx context.Context, h Harness, tell func(rules.Result)) ([]rules.Result, error) {
	s, err := newSubject(ctx, h)
	if err != nil {
		return nil, err
	}
	defer s.inbox.close()
	return rules.Check(ctx, s.chosen(), s, tell), nil
}

// Case is a case's id and rule, for documentation.
type Case struct{ ID, Says string }

// Cases returns all cases in their order.
func Cases() []Case {
	var all []Case
	for _, c := range table() {
		all = append(all, Case{c.ID, c.Says})
	}
	return all
}

type rule = rules.Rule[*subject]

// table is every case, by families.
func table() []rule {
	var all []rule
	for _, family := range [][]rule{
		describeRules, configRules, createRules, queryRules, statusRules, moneyRules, retryRules, notificationRules,
		outcomeRules, answerRules, limitRules, refundRules, cancelRules, concurrencyRules, instanceRules, secretRules, chaosRules,
	} {
		all = append(all, family...)
	}
	return all
}

// subject is what all cases are about.
type subject struct {
	Harness
	Description
	schema *schema.Schema // nil if the schema can't be read; a case reports it
	inbox  *inbox
}

// chosen is the cases that the harness wants.
func (s *subject) chosen() []rule {
	return slices.DeleteFunc(table(), func(r rule) bool { return s.Only != nil && !s.Only(r.ID) })
}

func newSubject(ctx context.Context, h Harness) (*subject, error) {
	if h.Plugin == nil || h.Start == nil {
		return nil, fmt.Errorf("providertest: a Harness needs Plugin and Start")
	}
	d, err := h.Plugin.Describe(ctx)
	if err != nil {
		return nil, fmt.Errorf("providertest: the plugin doesn't describe itself: %w", err)
	}
	s := &subject{Harness: h, Description: d}
	s.schema, _ = schema.Parse(d.ConfigSchema)
	s.inbox, err = startInbox()
	return s, err
}
