package wire_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"testing"

	"github.com/paymux/paymux/sdk/wire"
)

// The socket lies in a directory of the host's user. Whoever else gets at it is
// kept out by the certificates: each end takes the one that it was handed.
func TestMutualTLS(t *testing.T) {
	host, plugin, stranger := certificate(t), certificate(t), certificate(t)
	client := func(own tls.Certificate, trusts tls.Certificate) *tls.Config {
		c := wire.ClientTLS(own)
		c.RootCAs.AddCert(trusts.Leaf) // as go-plugin does
		return c
	}
	nobody := client(host, plugin)
	nobody.Certificates = nil
	old := client(host, plugin)
	old.MaxVersion = tls.VersionTLS12
	for name, c := range map[string]struct {
		server, client *tls.Config
		ok             bool
	}{
		"the host and its plugin":         {wire.ServerTLS(plugin, pool(host)), client(host, plugin), true},
		"a client without a certificate":  {wire.ServerTLS(plugin, pool(host)), nobody, false},
		"a client that nobody handed out": {wire.ServerTLS(plugin, pool(host)), client(stranger, plugin), false},
		"a server that nobody handed out": {wire.ServerTLS(stranger, pool(host)), client(host, plugin), false},
		"a plugin that has named nothing": {wire.ServerTLS(plugin, pool(host)), wire.ClientTLS(host), false},
		"an old client":                   {wire.ServerTLS(plugin, pool(host)), old, false},
	} {
		if err := connects(t, c.server, c.client); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// connects shakes hands and has a byte sent back: by TLS 1.3 a client learns only
// then that it was refused.
func connects(t *testing.T, server, client *tls.Config) error {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	served := make(chan struct{})
	defer func() { <-served }()
	go func() {
		defer close(served)
		if conn, err := listener.Accept(); err == nil {
			_, _ = io.CopyN(conn, conn, 1)
			_ = conn.Close()
		}
	}()
	conn, err := tls.Dial("tcp", listener.Addr().String(), client)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("x")); err != nil {
		return err
	}
	_, err = io.ReadFull(conn, make([]byte, 1))
	return err
}

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	c, err := wire.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func pool(c tls.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(c.Leaf)
	return p
}
