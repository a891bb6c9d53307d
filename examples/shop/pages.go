package main

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"time"
)

//go:embed templates/*.html
var templateFiles embed.FS

// pageSet holds one parsed template for each kind of page.
type pageSet map[string]*template.Template

// loadPages parses every page together with the layout.
func loadPages() (pageSet, error) {
	layout, err := template.New("layout.html").Funcs(template.FuncMap{
		"upto": func(n int) []int {
			list := make([]int, n)
			for i := range list {
				list[i] = i + 1
			}
			return list
		},
	}).ParseFS(templateFiles, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, err
	}
	set := pageSet{}
	for _, name := range []string{"products", "checkout", "qr", "status", "error"} {
		t, err := template.Must(layout.Clone()).ParseFS(templateFiles, "templates/"+name+".html")
		if err != nil {
			return nil, err
		}
		set[name] = t
	}
	return set, nil
}

// page is everything that a template may show; each uses the part it needs.
type page struct {
	Title   string
	Kind    string // products, checkout, qr, status or error
	State   state  // for programs, as main's data-state
	Refresh int    // seconds until the page asks again; 0 never
	Style   string
	Heading string
	Lead    string

	Products    []Product
	MaxQuantity int

	Order     *Order
	Flow      string
	FlowLink  string
	Buttons   []payButton
	Retry     *payButton
	OtherFlow *payButton
	Continue  string
	Wallet    string
	Attempts  []attemptRow

	CheckNow   string // where a page that waits is asked again
	StopReload string // where it doesn't reload by itself

	QR        template.HTML
	QRExpires string

	Receipt *receipt
	Others  []string // payments beside the receipt's

	Back string // where an error page leads
}

// say sets what a status page says.
func (p *page) say(st state, heading, lead string) {
	p.State, p.Title, p.Heading, p.Lead = st, heading, heading, lead
}

// payButton is a form that starts one attempt. The attempt's id is part of the
// page, so that the same form posted twice is one attempt.
type payButton struct {
	Wallet
	Action  string
	Attempt string
	Flow    string
}

// attemptRow is an earlier attempt as the checkout page lists it.
type attemptRow struct {
	Wallet, Flow, Time, Label, Href string
	State                           state
}

// receipt is what a paid page adds to the order.
type receipt struct{ Wallet, Payment, Time string }

// button returns the form that starts (or repeats) an attempt.
func button(o Order, method, flow, attempt string) *payButton {
	w, ok := findWallet(method)
	if !ok || !validFlow(flow) { // an attempt that the shop didn't make
		return nil
	}
	return &payButton{Wallet: w, Action: orderPath(o.ID, "pay"), Attempt: attempt, Flow: flow}
}

// payButtons returns a button for each wallet, each with an attempt of its own.
func payButtons(o Order, flow string) []payButton { return otherButtons(o, "", flow) }

// otherButtons returns a button for each wallet but one.
func otherButtons(o Order, except, flow string) []payButton {
	var list []payButton
	for _, w := range wallets {
		if b := button(o, w.Method, flow, newID()); b != nil && w.Method != except {
			list = append(list, *b)
		}
	}
	return list
}

// statusPage begins a page about an order. It lists the tries if there were
// others than the one that the page is about.
func statusPage(o Order, flow string, tries []try) page {
	p := page{Kind: "status", Order: &o, Flow: flow}
	if len(tries) > 1 {
		p.Attempts = attemptRows(o, tries)
	}
	return p
}

// attemptRows words the attempts of an order, newest first.
func attemptRows(o Order, tries []try) []attemptRow {
	rows := make([]attemptRow, 0, len(tries))
	for _, t := range tries {
		st := t.settledState(o)
		row := attemptRow{
			Wallet: walletName(t.Method), Flow: "in the app", Time: t.At.In(hongKong).Format("2 Jan, 15:04"), State: st,
			Label: stateWords[st], Href: orderPath(o.ID, "attempts", t.ID),
		}
		if t.Flow == flowQR {
			row.Flow = "by QR code"
		}
		if t.Payment != nil && t.Payment.Status == "CREATED" {
			row.Label = "Not started"
		}
		rows = append(rows, row)
	}
	return rows
}

var stateWords = map[state]string{
	statePaid: "Paid", statePending: "Waiting for you", stateChecking: "Checking",
	stateCancelled: "Not completed", stateFailed: "Failed",
}

// hongKong is fixed, so that the shop needs no time zone files.
var hongKong = time.FixedZone("HKT", 8*60*60)

// clock prints a time as shoppers in Hong Kong read it.
func clock(t time.Time) string { return t.In(hongKong).Format("2 Jan 2006, 15:04 MST") }

// spell prints a wait in words.
func spell(d time.Duration) string {
	n, unit := int(d/time.Second), "second"
	if n > 90 {
		n, unit = (n+59)/60, "minute"
	}
	if n != 1 {
		unit += "s"
	}
	return strconv.Itoa(n) + " " + unit
}

// render writes a page, whole or not at all.
func (s *server) render(w http.ResponseWriter, status int, name string, p page) {
	p.Style = "/style.css?v=" + styleVersion
	var b bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&b, "layout.html", p); err != nil {
		s.log.Error("page not drawn", "page", name, "error", err)
		http.Error(w, "Something went wrong. You have not been charged by this page.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	b.WriteTo(w)
}

// fail answers with an error page that leads back somewhere.
func (s *server) fail(w http.ResponseWriter, status int, heading, lead, back string) {
	p := page{Kind: "error", Back: back}
	p.say(stateUnavailable, heading, lead)
	if status < 500 { // the request's fault says nothing about a payment
		p.State = ""
	}
	s.render(w, status, "error", p)
}

func (s *server) badRequest(w http.ResponseWriter, reason, back string) {
	s.fail(w, http.StatusBadRequest, "That did not work", reason+" Nothing new has been charged.", back)
}

func (s *server) notFound(w http.ResponseWriter) {
	s.fail(w, http.StatusNotFound, "We could not find that page", "The address may be mistyped, or the order may be gone.", "")
}
