package antom

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"encoding/base64"

	"github.com/paymux/paymux/providers/antom/antomtest"
)

func TestSignaturesAreThoseOfOpenSSL(t *testing.T) {
	for _, v := range readVectors().Vectors {
		c := settings(t, "https://api.example.com", "")
		c.ClientID = v.ClientID
		got, err := c.sign(v.Method, v.Path, v.Time, []byte(v.Body))
		if want := "algorithm=RSA256,keyVersion=1,signature=" + v.Signature; err != nil || got != want {
			t.Errorf("%s:\ngot  %s, %v\nwant %s", v.Name, got, err, want)
		}
		c.publicKeys = append(c.publicKeys, &ourKey().PublicKey) // not the first one
		if !c.verify(v.Method, v.Path, v.Time, []byte(v.Body), got) {
			t.Errorf("%s is not verified", v.Name)
		}
	}
}

// What openssl signs is verified here, and what is signed here it verifies.
func TestOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("SKIPPED: there is no openssl on this machine, so the signatures were compared with stored ones only")
	}
	const method, path, at, body = "POST", "/ams/api/v1/payments/pay", "1795953600000", `{"a":"茶"}`
	dir := t.TempDir()
	file := func(name, text string) string {
		full := filepath.Join(dir, name)
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return full
	}
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), openssl, args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %s: %v\n%s", args[0], err, out)
		}
	}
	c := settings(t, "https://api.example.com", "")
	message := file("message", method+" "+path+"\n"+c.ClientID+"."+at+"."+body)

	ours, err := c.sign(method, path, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	raw, ok := readSignature(ours)
	if !ok {
		t.Fatal("our own header can't be read")
	}
	run("dgst", "-sha256", "-verify", file("ours.pem", antomtest.PublicPEM(&ourKey().PublicKey)), "-signature", file("ours.sig", string(raw)), message)

	signature := filepath.Join(dir, "theirs.sig")
	run("dgst", "-sha256", "-sign", file("theirs.pem", antomtest.PrivatePEM(antomKey())), "-out", signature, message)
	theirs, err := os.ReadFile(signature)
	if err != nil {
		t.Fatal(err)
	}
	header := "algorithm=RSA256,keyVersion=1,signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(theirs))
	if !c.verify(method, path, at, []byte(body), header) {
		t.Error("what openssl signed is not verified")
	}
	if c.verify(method, path, at, []byte(body+" "), header) {
		t.Error("a tampered body is verified")
	}
}

func TestSignatureHeader(t *testing.T) {
	c := settings(t, "https://api.example.com", "")
	good := antomtest.Sign(antomKey(), "POST", "/p", clientID, "1", []byte("{}"))
	value := strings.TrimPrefix(good, "algorithm=RSA256,keyVersion=1,signature=")
	plain, err := url.QueryUnescape(value)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		header string
		want   bool
	}{
		"good":                {good, true},
		"other order, blanks": {"signature=" + value + ", keyVersion=7, algorithm=RSA256", true},
		"no version":          {"algorithm=RSA256,signature=" + value, true},
		"not escaped":         {"algorithm=RSA256,signature=" + plain, true},
		"empty":               {"", false},
		"only the signature":  {value, false},
		"no algorithm":        {"signature=" + value, false},
		"other algorithm":     {"algorithm=RSA512,signature=" + value, false},
		"lower case":          {"algorithm=rsa256,signature=" + value, false},
		"two signatures":      {good + ",signature=" + value, false},
		"empty signature":     {"algorithm=RSA256,signature=", false},
		"not base64":          {"algorithm=RSA256,signature=!!!!", false},
		"bad escape":          {"algorithm=RSA256,signature=%zz", false},
		"cut":                 {good[:len(good)-12], false},
		"longer":              {good + "AAAA", false},
	} {
		if got := c.verify("POST", "/p", "1", []byte("{}"), test.header); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	for name, other := range map[string]bool{
		"method": c.verify("GET", "/p", "1", []byte("{}"), good), "path": c.verify("POST", "/q", "1", []byte("{}"), good),
		"time": c.verify("POST", "/p", "2", []byte("{}"), good), "no time": c.verify("POST", "/p", "", []byte("{}"), good),
		"body": c.verify("POST", "/p", "1", []byte("{} "), good), "client": c.verifyFor("other", "POST", "/p", "1", []byte("{}"), good),
	} {
		if other {
			t.Errorf("another %s is verified", name)
		}
	}
}

// Every request carries the headers, and its signature is over what was sent.
func TestRequestsAreSigned(t *testing.T) {
	for _, op := range operations(t) {
		f := newFake(t, nil)
		f.answer = func(w http.ResponseWriter, r *http.Request) {
			body := strings.SplitN(f.sent()[0], " ", 3)[2]
			h := r.Header
			if h.Get("Content-Type") != "application/json; charset=UTF-8" || h.Get("Client-Id") != clientID || h.Get("Request-Time") != "1795867200000" {
				t.Errorf("%s: headers %v", op.name, h)
			}
			c := config{ClientID: clientID, publicKeys: settings(t, f.URL, "").publicKeys}
			c.publicKeys[0] = &ourKey().PublicKey
			if !c.verify(r.Method, "/ams/api/v1"+calls[op.to].path, h.Get("Request-Time"), []byte(body), h.Get("Signature")) ||
				!strings.HasPrefix(h.Get("Signature"), "algorithm=RSA256,keyVersion=3,signature=") {
				t.Errorf("%s: signature %s", op.name, h.Get("Signature"))
			}
			saySigned(200, golden(t, op.good))(w, r)
		}
		if err := op.call(t.Context(), f.provider(t, `,"key_version":"3"`)); err != nil {
			t.Errorf("%s: %v", op.name, err)
		}
	}
}
