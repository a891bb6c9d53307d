package sandbox

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// MaxBody is how large a request may be, in bytes.
const MaxBody = 64 << 10

// Cut stands for no answer, where an HTTP status is expected: the connection is
// closed.
const Cut = -1

// Answer answers a call; header goes over what w has already.
func Answer(w http.ResponseWriter, status int, header http.Header, body []byte) {
	if status == Cut {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler) // of a writer that can't be hijacked net/http drops the connection
		}
		_ = conn.Close()
		return
	}
	maps.Copy(w.Header(), header)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// ErrorPage is what a proxy in front of an acquirer answers; status 0 is 502.
func ErrorPage(status int) (int, http.Header, []byte) {
	status = cmp.Or(status, http.StatusBadGateway)
	text := fmt.Sprintf("%d %s", status, http.StatusText(status))
	page := fmt.Sprintf("<html>\n<head><title>%s</title></head>\n<body><center><h1>%s</h1></center></body>\n</html>\n", text, text)
	return status, http.Header{"Content-Type": {"text/html; charset=utf-8"}}, []byte(page)
}

// RetryAfter is the header of a 429: in whole seconds, none if d is 0.
func RetryAfter(d time.Duration) http.Header {
	if d == 0 {
		return nil
	}
	return http.Header{"Retry-After": {strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)}}
}

// RandomHex returns so many random bytes in lower-case hex.
func RandomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
