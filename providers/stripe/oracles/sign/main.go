// Command sign signs notifications, and checks signatures, with Stripe's own
// client: an oracle for the adapter's tests. It reads a JSON list of jobs and
// writes one of answers.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/stripe/stripe-go/v83/webhook"
)

// job is to sign body, or to check a header if there is one.
type job struct {
	Body   string `json:"body"`
	Secret string `json:"secret"`
	At     int64  `json:"at"`
	Header string `json:"header"`
}

type answer struct {
	Header string `json:"header"`
	Valid  bool   `json:"valid"`
}

func main() {
	var jobs []job
	if err := json.NewDecoder(os.Stdin).Decode(&jobs); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	answers := make([]answer, len(jobs))
	for i, j := range jobs {
		if j.Header != "" {
			answers[i].Valid = webhook.ValidatePayloadIgnoringTolerance([]byte(j.Body), j.Header, j.Secret) == nil
			continue
		}
		answers[i].Header = webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{
			Payload: []byte(j.Body), Secret: j.Secret, Timestamp: time.Unix(j.At, 0), Scheme: "v1",
		}).Header
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
