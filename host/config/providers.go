package config

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	providerName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	pluginName   = providerName // as the contract has it
)

const (
	wantProvider = "up to 32 of a-z, 0-9 and -, beginning with a letter"
	wantPlugin   = "the name of a plugin, such as alipayhk"
)

func (l *loader) readProviders(v value) []Provider {
	if !l.is(v, yaml.MappingNode, "a mapping of provider names") {
		l.providers.incomplete = true
		return nil
	}
	if len(v.node.Content) == 0 {
		l.fail(v, "found no provider; expected at least one")
	}
	var all []Provider
	for _, f := range l.entries(v) {
		name := f.key.Value
		l.providers.add(text{raw: name, val: name})
		if !providerName.MatchString(name) {
			l.fail(value{node: f.key, path: f.path}, "found %s as the name of a provider; expected %s", text{raw: name}.show(), wantProvider)
		}
		if o, ok := l.object(f, inProvider); ok {
			all = append(all, l.provider(name, o))
		}
	}
	return all
}

func (l *loader) provider(name string, o object) Provider {
	p := Provider{Name: name, Accepting: true, Config: NewSecret("{}")}
	if f, ok := l.need(o, "plugin"); ok {
		p.Plugin = l.plugin(f)
	}
	if f, ok := o.fields["merchants"]; ok {
		p.Merchants = l.texts(f, "a list of merchants",
			"expected merchants; leave the key out for all of them, or write accepting: false", l.merchantRef)
	}
	if f, ok := o.fields["accepting"]; ok {
		p.Accepting = l.boolean(f)
	}
	if f, ok := o.fields["process"]; ok {
		t, _ := l.word(f, []string{ProcessOwn})
		p.Process = t.val
	}
	if f, ok := o.fields["config"]; ok {
		p.Config = l.rawConfig(f)
	}
	return p
}

func (l *loader) plugin(v value) string {
	t, ok := l.text(v, wantPlugin)
	switch {
	case !ok:
	case strings.HasPrefix(t.val, "paymux-provider-"):
		l.fail(v, "found %s; expected only what follows paymux-provider-", t.show())
	case strings.ContainsAny(t.val, `/\`):
		l.fail(v, "found %s; expected %s, not a path: binaries are found in plugins.dir", t.show(), wantPlugin)
	case !pluginName.MatchString(t.val):
		l.fail(v, "found %s; expected %s: up to 32 of a-z, 0-9 and -, beginning with a letter", t.show(), wantPlugin)
	}
	return t.val
}
