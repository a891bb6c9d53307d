package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// shopper walks through the pages as a phone's browser without JavaScript does.
type shopper struct {
	settings *settings
	out      *narrator
	client   *http.Client
	at       *url.URL
	page     *html.Node
}

const phoneAgent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"

func newShopper(s *settings, out *narrator) *shopper {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &shopper{settings: s, out: out, client: &http.Client{
		Jar: jar, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// buy goes from the shop's first page to the receipt.
func (s *shopper) buy(ctx context.Context) error {
	s.out.shopper("opens the shop")
	if err := s.get(ctx, "http://"+s.settings.shop+"/"); err != nil {
		return err
	}
	for _, step := range []struct{ button, say string }{
		{"buy-puerh", "buys a tin of Pu-erh"},
		{"pay-alipay_hk", "chooses AlipayHK"},
		{"pay", "presses Pay on the wallet's page"},
	} {
		if err := s.think(ctx); err != nil {
			return err
		}
		s.out.shopper(step.say)
		if err := s.press(ctx, step.button); err != nil {
			return err
		}
	}
	s.out.shopper("comes back to the shop")
	for {
		if err := s.think(ctx); err != nil {
			return fmt.Errorf("the shop still says %q: %w", s.state(), err)
		}
		if err := s.get(ctx, s.at.String()); err != nil { // the page refreshes itself
			return err
		}
		if s.state() == "paid" {
			s.out.shopper("sees the receipt: paid")
			return nil
		}
	}
}

// thinkTime is what a shopper takes to decide, so that one can follow.
const thinkTime = 700 * time.Millisecond

func (s *shopper) think(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(thinkTime):
		return nil
	}
}

func (s *shopper) get(ctx context.Context, address string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	return s.do(r)
}

func (s *shopper) do(r *http.Request) error {
	r.Header.Set("User-Agent", phoneAgent)
	a, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if target, err := a.Location(); err == nil {
		return s.follow(r, target)
	}
	if a.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(a.Body, 64<<10))
		return fmt.Errorf("%s %s: %s (%s)", r.Method, r.URL.Redacted(), a.Status, heading(string(text)))
	}
	s.at = a.Request.URL
	s.page, err = html.Parse(io.LimitReader(a.Body, 1<<20))
	return err
}

// follow goes where an answer sends the browser. Opening another site takes a
// while, in which the acquirer's notification reaches paymux.
func (s *shopper) follow(from *http.Request, target *url.URL) error {
	if target.Host != from.URL.Host {
		if err := s.think(from.Context()); err != nil {
			return err
		}
	}
	return s.get(from.Context(), target.String())
}

// press submits the form of a button.
func (s *shopper) press(ctx context.Context, id string) error {
	button := find(s.page, func(n *html.Node) bool { return attribute(n, "id") == id })
	form := button
	for form != nil && form.Data != "form" {
		form = form.Parent
	}
	if form == nil {
		return errors.New("the page " + s.at.Redacted() + " has no button #" + id)
	}
	values := url.Values{}
	collect(form, values)
	if name := attribute(button, "name"); name != "" {
		values.Set(name, attribute(button, "value"))
	}
	target, err := s.at.Parse(attribute(form, "action"))
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(values.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.do(r)
}

// state is what the shop's page says of the payment.
func (s *shopper) state() string {
	return attribute(find(s.page, func(n *html.Node) bool { return n.Data == "main" }), "data-state")
}

// collect takes a form's hidden fields and the first option of each choice.
func collect(n *html.Node, values url.Values) {
	switch {
	case n.Data == "input" && attribute(n, "type") == "hidden":
		values.Set(attribute(n, "name"), attribute(n, "value"))
	case n.Data == "select":
		option := find(n, func(n *html.Node) bool { return n.Data == "option" })
		if option != nil && option.FirstChild != nil {
			values.Set(attribute(n, "name"), strings.TrimSpace(option.FirstChild.Data)) // the shop's have no other value
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		collect(c, values)
	}
}

func find(n *html.Node, wanted func(*html.Node) bool) *html.Node {
	if n == nil || n.Type == html.ElementNode && wanted(n) {
		return n
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if f := find(c, wanted); f != nil {
			return f
		}
	}
	return nil
}

func attribute(n *html.Node, name string) string {
	if n != nil {
		for _, a := range n.Attr {
			if a.Key == name {
				return a.Val
			}
		}
	}
	return ""
}

// heading is what a page is about, for error texts.
func heading(page string) string {
	n, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return "no page"
	}
	h := find(n, func(n *html.Node) bool { return n.Data == "h1" })
	if h == nil || h.FirstChild == nil {
		return "a page without a heading"
	}
	return strings.TrimSpace(h.FirstChild.Data)
}
