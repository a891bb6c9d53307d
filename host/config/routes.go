package config

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/paymux/paymux/sdk"
)

// Mismatch is the first key of the route that such a payment doesn't match;
// empty if it matches.
func (r Route) Mismatch(merchant, method, flow string, money sdk.Money) string {
	fits := func(list []string, s string) bool { return list == nil || slices.Contains(list, s) }
	switch {
	case !fits(r.Methods, method):
		return "methods"
	case !fits(r.Currencies, money.Currency()):
		return "currencies"
	case !fits(r.Flows, flow):
		return "flows"
	case !fits(r.Merchants, merchant):
		return "merchants"
	case !within(money, r.Min, r.Max):
		return "amount"
	default:
		return ""
	}
}

// within reports whether an amount lies between two bounds, both included; a
// zero bound is none.
func within(m, low, high sdk.Money) bool {
	if c, ok := m.Cmp(low); !low.IsZero() && (!ok || c < 0) {
		return false
	}
	c, ok := m.Cmp(high)
	return high.IsZero() || ok && c <= 0
}

// Order returns the route's providers in the order in which a payment tries
// them. With weights the first is drawn by the payment's name, so that the same
// payment gets the same order each time.
func (r Route) Order(merchant, merchantOrderID string) []string {
	total := r.TotalWeight()
	if total == 0 {
		return r.Providers
	}
	sum := sha256.Sum256([]byte(merchant + " " + merchantOrderID))
	at := int(binary.BigEndian.Uint64(sum[:8]) % uint64(total))
	for i, name := range r.Providers {
		if at -= r.Weights[name]; at < 0 {
			return slices.Concat([]string{name}, r.Providers[:i], r.Providers[i+1:])
		}
	}
	return r.Providers // weights are of providers of the route: not reached
}

// TotalWeight is what a weight is a share of; 0 without weights.
func (r Route) TotalWeight() (total int) {
	for _, w := range r.Weights {
		total += w
	}
	return total
}

func (l *loader) routes(v value) []Route {
	items, _ := l.items(v, "a list of routes")
	var all []Route
	var places []value
	for _, item := range items {
		o, ok := l.object(item, inRoute)
		if !ok {
			continue
		}
		r := l.route(o)
		for i, earlier := range all {
			if earlier.covers(r) {
				line, column := place(places[i].key, places[i].node)
				l.warn(item, "no payment reaches this route: the one at %d:%d matches all that it would", line, column)
				break
			}
		}
		all, places = append(all, r), append(places, item)
	}
	return all
}

func (l *loader) route(o object) Route {
	const any = "leave the key out to match any"
	var r Route
	if f, ok := o.fields["methods"]; ok {
		r.Methods = l.texts(f, "a list of payment methods", any, func(v value) (text, bool) { return l.word(v, methods) })
	}
	if f, ok := o.fields["currencies"]; ok {
		r.Currencies = l.texts(f, "a list of currencies", any, l.currency)
	}
	if f, ok := o.fields["flows"]; ok {
		r.Flows = l.texts(f, "a list of flows", any, func(v value) (text, bool) { return l.word(v, flows) })
	}
	if f, ok := o.fields["merchants"]; ok {
		r.Merchants = l.texts(f, "a list of merchants", any, l.merchantRef)
	}
	if f, ok := o.fields["amount"]; ok {
		r.Min, r.Max = l.amounts(f, r.Currencies)
	}
	if f, ok := l.need(o, "providers"); ok {
		r.Providers = l.texts(f, "a list of providers", "expected at least one provider", l.providerRef)
	}
	if f, ok := o.fields["weights"]; ok {
		r.Weights = l.weights(f, r.Providers)
	}
	return r
}

// amounts reads the bounds of a route. An amount means nothing without its
// currency, so there must be one.
func (l *loader) amounts(v value, currencies []string) (low, high sdk.Money) {
	o, ok := l.object(v, inAmount)
	if !ok {
		return low, high
	}
	if len(currencies) != 1 {
		l.fail(v, "an amount is in one currency; expected currencies with one, such as [HKD]; write a route for each")
		return low, high
	}
	if len(v.node.Content) == 0 {
		l.fail(v, "found no bound; expected min, max or both")
	}
	read := func(name string) sdk.Money {
		f, given := o.fields[name]
		if !given {
			return sdk.Money{}
		}
		t, ok := l.text(f, `an amount in quotes, such as "100.00"`)
		if !ok {
			return sdk.Money{}
		}
		m, err := sdk.ParseMoney(t.val, currencies[0])
		if err != nil {
			l.fail(f, "found %s; expected an amount of %s in quotes, such as \"100.00\"", t.show(), currencies[0])
		}
		return m
	}
	low, high = read("min"), read("max")
	if c, ok := low.Cmp(high); !low.IsZero() && !high.IsZero() && ok && c > 0 {
		l.fail(v, "min is greater than max: no payment matches")
	}
	return low, high
}

const (
	wantWeight   = "a whole number from 0 to 10000"
	mostWeight   = 10_000
	wholeDecimal = "0123456789"
)

func (l *loader) weights(v value, providers []string) map[string]int {
	if !l.is(v, yaml.MappingNode, "a mapping of providers to numbers") {
		return nil
	}
	all, total, wrong := map[string]int{}, 0, len(l.problems)
	for _, f := range l.entries(v) {
		name := f.key.Value
		if !slices.Contains(providers, name) {
			l.fail(value{node: f.key, path: f.path}, "isn't one of the route's providers; expected %s", oneOf(providers))
			continue
		}
		n, err := strconv.Atoi(f.node.Value)
		if f.node.Kind != yaml.ScalarNode || f.node.Tag != "!!int" || err != nil || strings.Trim(f.node.Value, wholeDecimal) != "" || n > mostWeight {
			l.fail(f, "expected %s", wantWeight)
			continue
		}
		all[name] = n
		total += n
	}
	if total == 0 && len(l.problems) == wrong {
		l.fail(v, "the weights add up to 0; expected one that is greater")
	}
	return all
}

func (l *loader) currency(v value) (text, bool) {
	const expected = "an ISO 4217 code such as HKD"
	t, ok := l.text(v, expected)
	if !ok {
		return t, false
	}
	if _, known := sdk.CurrencyExponent(t.val); !known { // no payment could have it
		l.fail(v, "found %s; expected %s", t.show(), expected)
		return t, false
	}
	return t, true
}

func (l *loader) providerRef(v value) (text, bool) {
	t, ok := l.text(v, "the name of a provider")
	return t, ok && l.providers.check(l, v, t, "providers")
}

// covers reports whether r matches everything that later matches.
func (r Route) covers(later Route) bool {
	return includes(r.Methods, later.Methods, methods) &&
		includes(r.Flows, later.Flows, flows) &&
		includes(r.Currencies, later.Currencies, nil) &&
		includes(r.Merchants, later.Merchants, nil) &&
		r.bounds(later)
}

// bounds reports whether the amounts of later lie within those of r. No bound
// can't be compared with one, as amounts of two currencies can't.
func (r Route) bounds(later Route) bool {
	low, ok := later.Min.Cmp(r.Min)
	if !r.Min.IsZero() && (!ok || low < 0) {
		return false
	}
	high, ok := later.Max.Cmp(r.Max)
	return r.Max.IsZero() || ok && high <= 0
}

// includes reports whether outer matches everything that inner does. An empty
// list matches any, which is all, or without bound if all is nil.
func includes(outer, inner, all []string) bool {
	if outer == nil {
		return true
	}
	if inner == nil {
		inner = all
	}
	for _, s := range inner {
		if !slices.Contains(outer, s) {
			return false
		}
	}
	return inner != nil
}
