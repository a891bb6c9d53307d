package antomtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/url"
	"strings"
	"sync"
)

// Sign returns the Signature header over what the acquirer's rule names: the
// method and path, the client id, the time header's value and the body.
func Sign(key *rsa.PrivateKey, method, path, clientID, at string, body []byte) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s\n%s.%s.%s", method, path, clientID, at, body))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err) // a key too small to sign with: a mistake in a test
	}
	return "algorithm=RSA256,keyVersion=1,signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
}

// signedBy checks a request's Signature header and says what is wrong with it.
func signedBy(key *rsa.PublicKey, version, method, path, clientID, at string, body []byte, header string) error {
	rest, ok := strings.CutPrefix(header, "algorithm=RSA256,keyVersion="+version+",signature=")
	if !ok {
		return fmt.Errorf("the Signature header must be algorithm=RSA256,keyVersion=%s,signature=…", version)
	}
	text, err := url.QueryUnescape(rest)
	if err != nil {
		return fmt.Errorf("the signature isn't URL-encoded")
	}
	signature, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("the signature isn't base64")
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s\n%s.%s.%s", method, path, clientID, at, body))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) != nil {
		return fmt.Errorf("the signature is wrong")
	}
	return nil
}

// Credentials are what a merchant configures.
type Credentials struct {
	ClientID   string
	PrivateKey string // PEM; empty if Options has the merchant's public key
	PublicKey  string // the acquirer's, PEM
}

// Credentials returns what a merchant needs to use this sandbox.
func (s *Server) Credentials() Credentials {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := Credentials{ClientID: s.opt.ClientID, PublicKey: PublicPEM(&s.key.PublicKey)}
	if s.merchant != nil {
		c.PrivateKey = PrivatePEM(s.merchant)
	}
	return c
}

// SetKey rotates the acquirer's key: all that is signed from now on is signed
// with it, retries of older notifications included.
func (s *Server) SetKey(key *rsa.PrivateKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = key
}

// PublicPEM writes a public key as the acquirer's dashboard would show it.
func PublicPEM(key *rsa.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		panic(err) // an empty key: a mistake in a test
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// PrivatePEM writes a private key.
func PrivatePEM(key *rsa.PrivateKey) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err) // an empty key: a mistake in a test
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// NewKey returns a new pair of 2048 bits.
func NewKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// The keys of servers that were given none. Making some takes a while, so they
// are made once per process.
var (
	acquirerKey = sync.OnceValue(NewKey)
	merchantKey = sync.OnceValue(NewKey)
	forgersKey  = sync.OnceValue(NewKey)
)
