package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/internal/pgtest"
)

func TestDoctor(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	foreign := other.Listener.Addr().String()
	host := httptest.NewServer(http.HandlerFunc(healthz))
	defer host.Close()
	tests := []struct {
		name    string
		replace []string
		code    int
		want    []string
	}{
		{"works", nil, exitOK, []string{
			"ok    config", "warn  lock file", "ok    plugin", "ok    provider", "can be written, no paymux serves it", "ok    listen", "the system chooses a port",
			"warn  public_url", "ok    clock"}},
		{"no keys", []string{"api_keys: [{merchant: shop-a, key: " + testKey + "}]\n", ""}, exitOK, []string{"warn  config", "every call of the API is refused"}},
		{"no plugin", []string{"plugin: alipayhk", "plugin: awx"}, exitFailed, []string{"fail  plugin", "fail  provider", "> build it, or set plugins.dir"}},
		{"schema", []string{"uid: ", "amount_unit: cents\n      uid: "}, exitFailed, []string{"fail  provider", "providers.cbtis.config.amount_unit"}},
		{"no directory", []string{"sqlite:paymux.db", "sqlite:gone/paymux.db"}, exitFailed, []string{"fail  store", "make the directory if it is missing"}},
		{"postgres", []string{"sqlite:paymux.db", "postgres://u:hush-hush@127.0.0.1:1/d"}, exitFailed, []string{"fail  store", "127.0.0.1:1/d", "> start it"}},
		{"port of another program", []string{"listen: 127.0.0.1:0\nadmin", "listen: " + foreign + "\nadmin"}, exitFailed, []string{"fail  listen", "another program uses this port"}},
		{"port of another host", []string{"admin_listen: 127.0.0.1:0", "admin_listen: " + host.Listener.Addr().String()}, exitFailed,
			[]string{"fail  admin_listen", "a paymux host serves there, but with another store"}},
		{"useless route", []string{"methods: [alipay_hk, alipay_cn]", "currencies: [EUR]"}, exitFailed, []string{"fail  routes", "warn  routes"}},
		{"garbled lock file", []string{"lock: paymux.lock", "lock: paymux.yaml"}, exitFailed, []string{"fail  lock file", "not a lock file"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, tt.replace...)
			s.run("doctor").want(t, tt.code, tt.want...)
			var findings []finding
			if err := json.Unmarshal([]byte(s.run("doctor", "--json").stdout), &findings); err != nil || len(findings) < 5 {
				t.Errorf("--json: %v, %d findings", err, len(findings))
			}
			files, _ := filepath.Glob(filepath.Join(s.dir, "*"))
			if len(files) != 1 {
				t.Errorf("it left files behind: %s", files)
			}
		})
	}
}

// A database that hosts can use is recognized without being touched.
func TestDoctorPostgres(t *testing.T) {
	url := pgtest.New(t)
	s := newSite(t, "sqlite:paymux.db", url)
	s.run("doctor").want(t, exitOK, "ok    store", "PostgreSQL")
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	var tables int
	if err := db.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables); err != nil || tables > 0 {
		t.Errorf("it made %d tables, %v", tables, err)
	}
	if _, err := db.Exec(t.Context(), `ALTER DATABASE "`+db.Config().Database+`" SET default_transaction_read_only = on`); err != nil {
		t.Fatal(err)
	}
	s.run("doctor").want(t, exitFailed, "fail  store", "can't be written")
}

// Beside a running host it says so instead of calling its ports and its store
// taken.
func TestDoctorBesideHost(t *testing.T) {
	s := newSite(t)
	r := s.serve()
	address, admin := strings.TrimPrefix(r.url, "http://"), strings.TrimPrefix(r.admin, "http://")
	s.write("listen: 127.0.0.1:0\nadmin", "listen: "+address+"\nadmin", "admin_listen: 127.0.0.1:0", "admin_listen: "+admin, "http://127.0.0.1:9", r.url)
	s.run("doctor").want(t, exitOK, "served by a running paymux", address+": a paymux host serves there and is ready",
		admin+": a paymux host serves there", r.url+": leads to the host")
}

func TestDoctorPins(t *testing.T) {
	s := newSite(t)
	dir := copyPlugins(t)
	s.write("dir: "+pluginsDir(t), "dir: "+dir)
	s.run("plugins", "lock").want(t, exitOK)
	s.run("doctor").want(t, exitOK, "alipayhk 1.0.0: is as the lock file has it")
	appendByte(t, filepath.Join(dir, "paymux-provider-alipayhk"))
	s.run("doctor").want(t, exitFailed, "fail  plugin         alipayhk: mismatch", "fail  provider")
}

func TestDoctorClock(t *testing.T) {
	hour := time.Hour
	for _, tt := range []struct {
		name         string
		built, wrote time.Duration // from now
		want         result
	}{
		{"right", -hour, -hour, fine},
		{"before the program was written", hour, -hour, fail},
		{"before the store was written", -hour, hour, fail},
	} {
		path := filepath.Join(t.TempDir(), "paymux.db")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(tt.wrote)); err != nil {
			t.Fatal(err)
		}
		d := &doctor{cfg: &config.Config{Store: config.StoreConfig{Path: path}}}
		d.checkClock(build{Time: time.Now().Add(tt.built).UTC().Format(time.RFC3339)})
		if got := d.findings[0]; got.Result != tt.want {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// healthz answers as a host does.
func healthz(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"status":"ok"}`) }

// What a proxy in front makes of the public URL.
func TestDoctorPublicURL(t *testing.T) {
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		want    string
	}{
		{"forwards", healthz, "ok leads to the host"},
		{"forwards elsewhere", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, "fail (HTTP 404) is not the host's"},
		{"a site that likes everything", func(http.ResponseWriter, *http.Request) {}, "fail (HTTP 200) is not the host's"},
		{"drops", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "warn can't be reached from here"},
		{"another clock", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
			healthz(w, r)
		}, "warn and this machine are 1h0m"},
	} {
		server := httptest.NewServer(tt.handler)
		d := &doctor{app: &app{ctx: t.Context()}, cfg: &config.Config{PublicURL: server.URL}, running: "http://127.0.0.1:1"}
		d.checkPublicURL()
		server.Close()
		word, part, _ := strings.Cut(tt.want, " ")
		found := false
		for _, f := range d.findings {
			found = found || string(f.Result) == word && strings.Contains(f.Detail, part)
		}
		if !found {
			t.Errorf("%s: no %q in %s", tt.name, tt.want, fmt.Sprint(d.findings))
		}
	}
}
