package config

// config checks the whole file. Every section reports its own mistakes, so that
// one run finds them all.
func (l *loader) config(root value) *Config {
	cfg := &Config{
		Listen:      "127.0.0.1:8080",
		AdminListen: "127.0.0.1:8081",
		Store:       StoreConfig{Kind: StoreSQLite, Path: l.abs("paymux.db")},
		Plugins:     Plugins{Dir: l.abs("bin/plugins"), Lock: l.abs("paymux.lock")},
	}
	file, ok := l.object(root, inFile)
	if !ok {
		return cfg
	}
	l.readServer(cfg, file)
	if v, ok := file.fields["store"]; ok {
		cfg.Store = l.store(v)
	}
	if v, ok := file.fields["plugins"]; ok {
		l.readPlugins(&cfg.Plugins, v)
	}
	if v, ok := file.fields["api_keys"]; ok {
		cfg.APIKeys = l.apiKeys(v)
	}
	if v, ok := file.fields["return_hosts"]; ok {
		cfg.ReturnHosts = l.returnHosts(v)
	}
	if v, ok := l.need(file, "providers"); ok {
		cfg.Providers = l.readProviders(v)
	}
	if v, ok := file.fields["routes"]; ok {
		cfg.Routes = l.routes(v)
	}
	if v, ok := file.fields["events"]; ok {
		cfg.Events = l.events(v)
	}
	if len(cfg.Routes) == 0 {
		l.warn(root, "no routes: every payment must name its provider")
	}
	return cfg
}

func (l *loader) readPlugins(p *Plugins, v value) {
	o, ok := l.object(v, inPlugins)
	if !ok {
		return
	}
	if f, ok := o.fields["dir"]; ok {
		p.Dir = l.filePath(f, `the path of a directory, such as "bin/plugins"`)
	}
	if f, ok := o.fields["lock"]; ok {
		p.Lock = l.filePath(f, `the path of a file, such as "paymux.lock"`)
	}
	if f, ok := o.fields["allow_unsealed"]; ok {
		p.AllowUnsealed = l.boolean(f)
	}
}

func (l *loader) filePath(v value, expected string) string {
	t, ok := l.text(v, expected)
	if ok && t.val == "" {
		l.fail(v, "found an empty string; expected %s", expected)
	}
	return l.abs(t.val)
}
