package config

import (
	"net/url"
	"strconv"
	"strings"
)

// url reads an absolute http or https URL that holds no password. Plain http is
// for loopback only: these URLs carry notices about money.
func (l *loader) url(v value, expected string) (*url.URL, bool) {
	t, ok := l.text(v, expected)
	if !ok {
		return nil, false
	}
	u, err := url.Parse(t.val)
	switch {
	// Before all else, since the other messages show the value.
	case strings.Contains(t.raw, "@") && (err != nil || !absolute(u)), err == nil && u.User != nil:
		l.fail(v, "found a user name or password in the URL; expected %s", expected)
	case err != nil || !absolute(u):
		l.fail(v, "found %s; expected %s", t.show(), expected)
	case u.Fragment != "":
		l.fail(v, "found a fragment (#) in the URL; expected %s", expected)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		l.fail(v, "found %s; expected https, as http is for loopback addresses only", t.show())
	default:
		return u, true
	}
	return nil, false
}

func absolute(u *url.URL) bool {
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	}
	return (u.Scheme == "http" || u.Scheme == "https") && isHost(u.Hostname())
}

func (l *loader) publicURL(v value) string {
	const expected = `an absolute URL as a string, such as "https://pay.example.com"`
	u, ok := l.url(v, expected)
	if !ok {
		return ""
	}
	if u.RawQuery != "" || u.ForceQuery {
		l.fail(v, "found a query (?) in the URL; expected %s", expected)
	}
	u.Host = strings.ToLower(u.Host)
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	return u.String()
}

// store reads where payments are kept. PostgreSQL's URL may hold a password,
// therefore no message shows it.
func (l *loader) store(v value) StoreConfig {
	const expected = `"sqlite:PATH" or "postgres://USER@HOST/DATABASE"`
	t, ok := l.text(v, expected)
	if !ok {
		return StoreConfig{}
	}
	scheme, rest, _ := strings.Cut(t.val, ":")
	switch {
	case scheme == "sqlite":
		return StoreConfig{Kind: StoreSQLite, Path: l.sqlitePath(v, rest)}
	case scheme == "postgres" || scheme == "postgresql":
		return StoreConfig{Kind: StorePostgres, DSN: l.postgresDSN(v, t.val)}
	}
	l.fail(v, "found another kind of store; expected %s", expected)
	return StoreConfig{}
}

func (l *loader) sqlitePath(v value, path string) string {
	switch {
	case path == "":
		l.fail(v, `found no path; expected "sqlite:PATH"`)
	case strings.HasPrefix(path, ":") || path == "memory":
		l.fail(v, "found a database in memory; expected a file, as payments must outlive the process")
	case strings.HasPrefix(path, "//") || strings.ContainsAny(path, "?\x00"):
		l.fail(v, `found a URL; expected "sqlite:PATH" with the plain path of a file`)
	}
	return l.abs(path)
}

func (l *loader) postgresDSN(v value, dsn string) Secret {
	u, err := url.Parse(dsn)
	if err != nil || !strings.Contains(dsn, "://") {
		l.fail(v, `found a broken URL; expected "postgres://USER@HOST/DATABASE", with special characters of a password written as %%XX`)
		return Secret{}
	}
	if password, ok := u.User.Password(); ok {
		l.hide(password)
		_, encoded, _ := strings.Cut(u.User.String(), ":")
		l.hide(encoded)
	}
	return NewSecret(dsn)
}
