package stripe_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/stripe"
	"github.com/paymux/paymux/providers/stripe/stripetest"
	"github.com/paymux/paymux/sdk"
)

// signJob is to sign a body, or to check a header if there is one.
type signJob struct {
	Body   string `json:"body"`
	Secret string `json:"secret"`
	At     int64  `json:"at,omitempty"`
	Header string `json:"header,omitempty"`
}

type signAnswer struct {
	Header string `json:"header"`
	Valid  bool   `json:"valid"`
}

// signer does jobs with one of the acquirer's clients.
type signer func(*testing.T, []signJob) []signAnswer

func run(t *testing.T, cmd *exec.Cmd, jobs []signJob) []signAnswer {
	t.Helper()
	input, err := json.Marshal(jobs)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	var answers []signAnswer
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(jobs) {
		t.Fatalf("%v in %s", err, out)
	}
	return answers
}

func signers() map[string]func(*testing.T) signer {
	return map[string]func(*testing.T) signer{
		"go": func(t *testing.T) signer {
			bin := build(t, "./sign")
			return func(t *testing.T, jobs []signJob) []signAnswer {
				return run(t, exec.CommandContext(t.Context(), bin), jobs)
			}
		},
		"node": func(t *testing.T) signer {
			node, err := exec.LookPath("node")
			if err != nil {
				t.Skip("SKIPPED: there is no node; install it (apt-get install nodejs npm), then: make oracles")
			}
			if _, err := os.Stat(filepath.Join(oracles, "node_modules", "stripe")); err != nil {
				t.Skip("SKIPPED: the acquirer's client for Node isn't here; fetch it with: make oracles")
			}
			return func(t *testing.T, jobs []signJob) []signAnswer {
				cmd := exec.CommandContext(t.Context(), node, "sign.mjs")
				cmd.Dir = oracles
				return run(t, cmd, jobs)
			}
		},
	}
}

// What the acquirer's own clients sign is accepted; tampered with, too old or
// from the future it is not.
func TestOracleSignatures(t *testing.T) {
	const at = 1795863661
	var jobs []signJob
	for _, secret := range []string{"whsec_new", "whsec_old"} {
		for _, body := range bodies(t) {
			jobs = append(jobs, signJob{Body: body, Secret: secret, At: at})
		}
	}
	open := func(secrets string) sdk.Provider {
		config := `{"account_id":"acct_1","mode":"test","secret_key":"sk_test_123","webhook_secrets":` + secrets + `}`
		p, err := stripe.Plugin().Open(t.Context(), sdk.NewConfig("oracle", []byte(config)))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	rolled, foreign := open(`["whsec_new","whsec_old"]`), open(`["whsec_another"]`)
	for name, start := range signers() {
		t.Run(name, func(t *testing.T) {
			for i, answer := range start(t)(t, jobs) {
				parse := func(p sdk.Provider, body string, after time.Duration) error {
					_, err := p.ParseNotification(t.Context(), sdk.HTTPRequest{
						Method: "POST", Body: []byte(body), ReceivedAt: time.Unix(at, 0).Add(after),
						Header: http.Header{"Stripe-Signature": {answer.Header}},
					})
					return err
				}
				body := jobs[i].Body
				for _, after := range []time.Duration{0, 300 * time.Second, -300 * time.Second} {
					if err := parse(rolled, body, after); err != nil {
						t.Errorf("%.40s after %s: %v", body, after, err)
					}
				}
				for what, err := range map[string]error{
					"tampered": parse(rolled, body+" ", 0), "cut": parse(rolled, body[:len(body)-1], 0), "with another secret": parse(foreign, body, 0),
					"stale": parse(rolled, body, 301*time.Second), "from the future": parse(rolled, body, -301*time.Second),
				} {
					if !sdk.IsCode(err, sdk.CodeSignatureInvalid) {
						t.Errorf("%.40s, %s: %v", body, what, err)
					}
				}
			}
		})
	}
}

// The sandbox signs as the acquirer does.
func TestOracleChecksTheSandbox(t *testing.T) {
	var jobs []signJob
	for _, body := range bodies(t) {
		header := stripetest.Sign([]byte(body), time.Unix(1795863661, 0), "whsec_new", "whsec_old")
		for _, secret := range []string{"whsec_new", "whsec_old", "whsec_another"} {
			jobs = append(jobs, signJob{Body: body, Secret: secret, Header: header})
		}
	}
	for name, start := range signers() {
		t.Run(name, func(t *testing.T) {
			for i, answer := range start(t)(t, jobs) {
				if answer.Valid != (jobs[i].Secret != "whsec_another") {
					t.Errorf("%s: %v of %.40s", jobs[i].Secret, answer.Valid, jobs[i].Body)
				}
			}
		})
	}
}

// bodies are events, as they come and in odd shapes.
func bodies(t *testing.T) []string {
	t.Helper()
	all := []string{`{}`, `{"type":"茶 🍵"}`, "{ \"type\" :\r\n\"x\" }\n", `{"x":"` + strings.Repeat("y", 100_000) + `"}`}
	for _, name := range []string{"event_payment.json", "event_refund.json"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(data))
	}
	return all
}
