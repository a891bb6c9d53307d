package antom

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
)

// algorithm is the acquirer's name for RSA with PKCS #1 v1.5 and SHA-256.
const algorithm = "RSA256"

// digest hashes what is signed: the method and path of the request, the client
// id, the time as it stands in the header, and the body to the byte. Answers and
// notifications have the same form.
func digest(method, path, clientID, at string, body []byte) []byte {
	h := sha256.New()
	h.Write([]byte(method + " " + path + "\n" + clientID + "." + at + "."))
	h.Write(body)
	return h.Sum(nil)
}

// sign returns the Signature header of a request.
func (c config) sign(method, path, at string, body []byte) (string, error) {
	signature, err := rsa.SignPKCS1v15(nil, c.key, crypto.SHA256, digest(method, path, c.ClientID, at, body))
	if err != nil {
		return "", err
	}
	return "algorithm=" + algorithm + ",keyVersion=" + c.KeyVersion +
		",signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature)), nil
}

// verify reports whether a Signature header was made by the acquirer, for our
// client id.
func (c config) verify(method, path, at string, body []byte, header string) bool {
	return c.verifyFor(c.ClientID, method, path, at, body, header)
}

// verifyFor tries every key: how keyVersion counts the acquirer's keys is not
// documented.
func (c config) verifyFor(clientID, method, path, at string, body []byte, header string) bool {
	signature, ok := readSignature(header)
	if !ok || at == "" {
		return false
	}
	hashed := digest(method, path, clientID, at, body)
	for _, key := range c.publicKeys {
		if rsa.VerifyPKCS1v15(key, crypto.SHA256, hashed, signature) == nil {
			return true
		}
	}
	return false
}

// readSignature takes the signature out of its header. A member that is named
// twice would leave it open which one counts, so it is refused.
func readSignature(header string) ([]byte, bool) {
	members := map[string]string{}
	for member := range strings.SplitSeq(header, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(member), "=")
		if _, twice := members[name]; !ok || twice {
			return nil, false
		}
		members[name] = value
	}
	if members["algorithm"] != algorithm {
		return nil, false
	}
	// As in a path: a + stays one, should the acquirer not escape it.
	text, err := url.PathUnescape(members["signature"])
	if err != nil {
		return nil, false
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(text)
	return signature, err == nil && len(signature) > 0
}
