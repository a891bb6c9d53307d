package config

import (
	"regexp"
	"slices"
)

var currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)

// Matches reports whether the route is for such a payment.
func (r Route) Matches(method, currency, flow string) bool {
	matches := func(list []string, s string) bool { return list == nil || slices.Contains(list, s) }
	return matches(r.Methods, method) && matches(r.Currencies, currency) && matches(r.Flows, flow)
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
	if f, ok := l.need(o, "providers"); ok {
		r.Providers = l.texts(f, "a list of providers", "expected at least one provider", l.providerRef)
	}
	return r
}

func (l *loader) currency(v value) (text, bool) {
	const expected = "an ISO 4217 code such as HKD"
	t, ok := l.text(v, expected)
	if ok && !currencyCode.MatchString(t.val) {
		l.fail(v, "found %s; expected %s", t.show(), expected)
		return t, false
	}
	return t, ok
}

func (l *loader) providerRef(v value) (text, bool) {
	t, ok := l.text(v, "the name of a provider")
	return t, ok && l.providers.check(l, v, t, "providers")
}

// covers reports whether r matches everything that later matches.
func (r Route) covers(later Route) bool {
	return includes(r.Methods, later.Methods, methods) &&
		includes(r.Flows, later.Flows, flows) &&
		includes(r.Currencies, later.Currencies, nil)
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
