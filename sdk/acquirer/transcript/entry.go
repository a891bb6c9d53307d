package transcript

import (
	"net/http"
	"time"
)

// Entry is a line of a transcript: a notification, or a request with either an
// answer or a failure.
type Entry struct {
	At           time.Time `json:"at"`
	Request      *Message  `json:"request,omitempty"`
	Answer       *Message  `json:"answer,omitempty"`
	Failure      *Failure  `json:"failure,omitempty"`
	Notification *Message  `json:"notification,omitempty"`
}

// Message is a request, an answer or a notification, without secrets.
type Message struct {
	Method  string      `json:"method,omitempty"`
	URL     string      `json:"url,omitempty"`
	Status  int         `json:"status,omitempty"`
	Header  http.Header `json:"header,omitempty"`
	Body    string      `json:"body,omitempty"`
	Omitted int         `json:"omitted,omitempty"` // bytes of the body that are not in Body
}

// Failure is why there is no answer, or only the beginning of one.
type Failure struct {
	Text      string `json:"text"`
	Timeout   bool   `json:"timeout,omitempty"`
	Connected bool   `json:"connected,omitempty"` // something may have been sent
	Answered  bool   `json:"answered,omitempty"`  // something came back
}
