package wire

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"
)

// NewCertificate makes the certificate by which one end of a connection between
// a host and a plugin proves itself to the other, which was handed it at the
// start. It serves one life of a process. The curve is P-256: go-plugin's own
// certificates are P-521, which costs a start more than all the rest of it.
func NewCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: tlsName, Organization: []string{"paymux"}},
		DNSNames:              []string{tlsName},
		NotBefore:             now.Add(-time.Hour), // the clock may be set back
		NotAfter:              now.AddDate(30, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true, // it is its own root
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

// tlsName is the name that both ends go by.
const tlsName = "localhost"

// ClientCertificateEnv is the variable in which the host hands its certificate
// to the plugin, as PEM. The name is go-plugin's.
const ClientCertificateEnv = "PLUGIN_CLIENT_CERT"

// ServerTLS is the plugin's end: only the host that started it may connect.
func ServerTLS(own tls.Certificate, host *x509.CertPool) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: host, MinVersion: tls.VersionTLS13}
}

// ClientTLS is the host's end. It trusts nobody until go-plugin has read the
// plugin's certificate from the handshake line.
func ClientTLS(own tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{own}, RootCAs: x509.NewCertPool(), ServerName: tlsName, MinVersion: tls.VersionTLS12}
}
