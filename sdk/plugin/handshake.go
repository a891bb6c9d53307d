package plugin

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/paymux/paymux/sdk/wire"
)

// mutualTLS makes this process's certificate, sees that only the host that
// started it can connect, and that the host learns the certificate from the
// handshake line. go-plugin does the same by itself, but only with a curve that
// makes a start several times slower.
func mutualTLS() (func() (*tls.Config, error), error) {
	pem := os.Getenv(wire.ClientCertificateEnv)
	if pem == "" {
		return nil, nil // no host started it; go-plugin says so
	}
	host := x509.NewCertPool()
	if !host.AppendCertsFromPEM([]byte(pem)) {
		return nil, errors.New(wire.ClientCertificateEnv + " holds no certificate in PEM")
	}
	own, err := wire.NewCertificate()
	if err != nil {
		return nil, err
	}
	if err := amendHandshake(base64.RawStdEncoding.EncodeToString(own.Certificate[0])); err != nil {
		return nil, err
	}
	return func() (*tls.Config, error) { return wire.ServerTLS(own, host), nil }, nil
}

// amendHandshake puts the certificate at the end of the handshake line, where
// go-plugin leaves the place empty. What is printed to stdout before that line
// goes through unchanged.
func amendHandshake(certificate string) error {
	stdout := os.Stdout
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	os.Stdout = w // until go-plugin, once it has printed the line, puts its own there
	go func() {
		lines := bufio.NewReader(r)
		for {
			line, err := lines.ReadString('\n')
			if text, ok := strings.CutSuffix(line, "|grpc|\n"); ok {
				line = fmt.Sprintf("%s|grpc|%s\n", text, certificate)
			}
			if _, failed := io.WriteString(stdout, line); failed != nil || err != nil {
				return
			}
		}
	}()
	return nil
}

// watchEvery is how soon a plugin notices that its host is gone, where the
// kernel doesn't kill it with the host.
const watchEvery = time.Second

// endWithHost ends this process when the one that started it is gone: nobody
// would ask it for anything any more, and the next host starts one of its own.
func endWithHost(host int) {
	for range time.Tick(watchEvery) {
		if os.Getppid() != host {
			os.Exit(0)
		}
	}
}
