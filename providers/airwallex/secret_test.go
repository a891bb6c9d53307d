package airwallex

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// The acquirer repeats the whole request, secrets and all, wherever it can.
func TestNoErrorTellsASecret(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	var mu sync.Mutex
	var shape string
	var tokens bool
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			req, err := http.ReadRequest(bufio.NewReader(c))
			if err != nil {
				_ = c.Close()
				continue
			}
			body, _ := io.ReadAll(req.Body)
			echo := req.Header.Get("Authorization") + " " + req.Header.Get("X-Api-Key") + " " + strings.ReplaceAll(string(body), "\n", "")
			mu.Lock()
			answer, login := shape, tokens
			mu.Unlock()
			if login && strings.HasSuffix(req.URL.Path, "/login") {
				token := `{"token":"` + testToken + `"}`
				_, _ = fmt.Fprintf(c, "HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(token), token)
			} else {
				_, _ = io.WriteString(c, strings.ReplaceAll(answer, "ECHO", echo))
			}
			_ = c.Close()
		}
	}()
	client := acquirer.NewClient(acquirer.Options{})
	defer client.Close()
	for _, answer := range []string{
		"ECHO", "HTTP/1.1 ECHO\r\n\r\n", "HTTP/1.1 200 OK\r\nECHO\r\n\r\n", "HTTP/1.1 302 Found\r\nLocation: http://%zzECHO\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\nECHO", "HTTP/1.1 500 ECHO\r\n\r\nECHO", "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: ECHO\r\n\r\nECHO",
		"HTTP/1.1 400 X\r\n\r\n{\"code\":\"ECHO\",\"message\":\"ECHO\",\"source\":\"ECHO\"}", "HTTP/1.1 200 OK\r\n\r\n{\"ECHO\":{", "HTTP/1.1 429 X\r\nRetry-After: ECHO\r\n\r\n", "",
	} {
		for _, login := range []bool{true, false} {
			mu.Lock()
			shape, tokens = answer, login
			mu.Unlock()
			p := newProvider(settings(t, "http://"+l.Addr().String(), ""), client, time.Now)
			for _, op := range operations(t) {
				err := op.call(t.Context(), p)
				if err == nil {
					t.Errorf("%q is no error", answer)
					continue
				}
				e := sdk.AsError(err)
				checkError(t, err, e.Code, e.Outcome)
				if (e.Outcome == sdk.OutcomeNotSent) != (!login || strings.Contains(answer, "401")) {
					t.Errorf("%q (token given: %v): %v is %s", answer, login, err, e.Outcome)
				}
			}
		}
	}
}
