package main

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"time"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

//go:embed index.html
var indexHTML string

var indexPage = template.Must(template.New("index").Funcs(template.FuncMap{
	"clock": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
}).Parse(indexHTML))

// shown limits the index to the newest orders; the control API lists all.
const shown = 100

type indexView struct {
	Orders []cbtistest.Order // newest first
	Total  int
	Host   string // as the visitor reached it
}

// handler adds the index page to the sandbox.
func handler(srv *cbtistest.Server) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", srv)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		orders := srv.Orders()
		slices.Reverse(orders)
		view := indexView{Orders: orders[:min(len(orders), shown)], Total: len(orders), Host: r.Host}
		var page bytes.Buffer
		if err := indexPage.Execute(&page, view); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
		w.Write(page.Bytes())
	})
	return mux
}
