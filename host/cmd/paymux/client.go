package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/paymux/paymux/host/config"
)

// apiFlags say which host is called, and for which merchant.
type apiFlags struct {
	URL      string `name:"url" help:"Where the host's API is. Default: the address in the config file." placeholder:"URL"`
	Merchant string `help:"Whose key of the config's api_keys is sent. Default: the key in the environment variable PAYMUX_API_KEY, or that of the only merchant." placeholder:"NAME"`
	jsonFlag
}

const (
	// callTime is longer than any answer of the host takes.
	callTime  = 45 * time.Second
	maxAnswer = 16 << 20 // a page of 200 payments with all their metadata
)

// client calls the API of a running host.
type client struct {
	base *url.URL
	key  string // never printed
	http *http.Client
}

// client finds out where the host is and which key to send. The config is read
// only if the flags and the environment don't say both.
func (f apiFlags) client(a *app) (*client, error) {
	c := &client{key: a.getenv("PAYMUX_API_KEY"), http: &http.Client{
		Timeout: callTime,
		// The key must not follow a redirect, and the API has none.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	var cfg *config.Config
	if f.URL == "" || f.Merchant != "" || c.key == "" {
		var err error
		if cfg, err = a.load(); err != nil {
			return nil, fmt.Errorf("%w\n(without a config file, give --url and set PAYMUX_API_KEY)", err)
		}
	}
	var err error
	if f.Merchant != "" || c.key == "" {
		if c.key, err = keyOf(cfg, f.Merchant); err != nil {
			return nil, err
		}
	}
	c.base, err = f.base(cfg)
	return c, err
}

func (f apiFlags) base(cfg *config.Config) (*url.URL, error) {
	if f.URL == "" {
		if _, port, _ := net.SplitHostPort(cfg.Listen); port == "0" {
			return nil, usageError("listen has port 0, so only the host knows its address; give --url with the address that paymux serve printed")
		}
		f.URL = "http://" + reachable(cfg.Listen)
	}
	u, err := url.Parse(f.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, usageError("--url must be an http or https URL without user, query or fragment, such as http://127.0.0.1:8080")
	}
	return u, nil
}

// keyOf picks a merchant's newest key from the config.
func keyOf(cfg *config.Config, merchant string) (string, error) {
	var names []string
	key := ""
	for _, k := range cfg.APIKeys {
		if !slices.Contains(names, k.Merchant) {
			names = append(names, k.Merchant)
		}
		if key == "" && (merchant == "" || k.Merchant == merchant) {
			key = k.Key.Reveal()
		}
	}
	switch {
	case len(names) == 0:
		return "", usageError("there is no API key: add one to api_keys of the config file, or set PAYMUX_API_KEY")
	case key == "":
		return "", usageError("api_keys has no key of merchant %q; it has %s", merchant, strings.Join(names, ", "))
	case merchant == "" && len(names) > 1:
		return "", usageError("the config has keys of several merchants: say --merchant %s, or set PAYMUX_API_KEY", strings.Join(names, " or --merchant "))
	}
	return key, nil
}

// problem is a refusal that the host put into words (RFC 9457).
type problem struct {
	Status    int    `json:"status"`
	Title     string `json:"title"`
	Detail    string `json:"detail"`
	Code      string `json:"code"`
	Outcome   string `json:"outcome"`
	Field     string `json:"field"`
	PaymentID string `json:"payment_id"`
	Remedy    string `json:"remedy"`
	// The acquirer's own, for its support.
	AcquirerCode      string `json:"acquirer_code"`
	AcquirerRequestID string `json:"acquirer_request_id"`

	document []byte
	after    string // Retry-After
}

// Error says everything that helps to act.
func (p *problem) Error() string {
	s := cmp.Or(p.Code, fmt.Sprintf("HTTP %d", p.Status))
	if p.Field != "" {
		s += ": " + p.Field
	}
	if words := cmp.Or(p.Detail, p.Title); words != "" {
		s += ": " + words
	}
	for _, extra := range [][2]string{
		{"payment_id", p.PaymentID}, {"outcome", p.Outcome}, {"acquirer's code", p.AcquirerCode},
		{"acquirer's request id", p.AcquirerRequestID}, {"retry after", p.after}, {"what to do", p.Remedy},
	} {
		if extra[1] != "" {
			s += "\n  " + extra[0] + ": " + extra[1]
		}
	}
	return printable(s)
}

// printable is plain for several lines.
func printable(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = plain(line)
	}
	return strings.Join(lines, "\n")
}

// errNoAnswer is a call of which it isn't known whether the host did it.
var errNoAnswer = errors.New("the host's answer was lost")

// call makes one request and returns the document that the host answered. The
// error is a *problem, or wraps errNoAnswer if the request may have arrived.
func (c *client) call(ctx context.Context, method, path string, query url.Values, body any) ([]byte, error) {
	u := c.base.JoinPath(path)
	u.RawQuery = query.Encode()
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), content)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.lost(err)
	}
	defer resp.Body.Close()
	document, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, c.lost(err)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return nil, refusal(resp, document)
	case len(document) > maxAnswer || !json.Valid(document):
		return nil, fmt.Errorf("%w: %s answered no JSON; is it a paymux host?", errNoAnswer, c.base)
	}
	return document, nil
}

func (c *client) lost(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the URL, which is said better below
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return fmt.Errorf("no host answers at %s: %w; is paymux serve running there? (--url names another address)", c.base, err)
	}
	return fmt.Errorf("%w (%s): %w", errNoAnswer, c.base, err)
}

// refusal reads a problem document. Of any other answer, as a proxy would send,
// only the status counts.
func refusal(resp *http.Response, document []byte) error {
	p := &problem{}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind == "application/problem+json" && json.Unmarshal(document, p) == nil {
		p.document = document
	} else {
		p = &problem{Detail: http.StatusText(resp.StatusCode) + "; this is no answer of a paymux host"}
	}
	p.Status, p.after = resp.StatusCode, resp.Header.Get("Retry-After")
	return p
}

// fail ends a command with an error of a call. With --json a problem document
// is also printed as it came.
func (f apiFlags) fail(a *app, err error) error {
	if p, ok := errors.AsType[*problem](err); ok && f.JSON && p.document != nil {
		return errors.Join(a.printRaw(p.document), err)
	}
	return err
}
