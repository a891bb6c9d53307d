package providernode_test

import (
	"bufio"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk/wire"
)

// The line as the document has it, and a certificate that Go's verifier takes.
// The process ends with its parent also where the kernel doesn't see to it.
func TestHandshakeAndEnd(t *testing.T) {
	needNode(t)
	t.Parallel()
	host, err := wire.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	parent := exec.Command("/bin/sh", "-c", "./paymux-provider-node & wait")
	parent.Env = []string{
		"PAYMUX_PROVIDER=v1", "PLUGIN_PROTOCOL_VERSIONS=1", "PLUGIN_UNIX_SOCKET_DIR=" + dir,
		"PLUGIN_CLIENT_CERT=" + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: host.Certificate[0]})),
	}
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	defer parent.Process.Kill() //nolint:errcheck // it is gone already
	out := bufio.NewReader(stdout)
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Split(strings.TrimSuffix(line, "\n"), "|")
	if len(fields) != 6 || strings.Join(fields[:3], "|") != "1|1|unix" || filepath.Dir(fields[3]) != dir || fields[4] != "grpc" {
		t.Fatalf("%q", fields)
	}
	der, err := base64.RawStdEncoding.DecodeString(fields[5])
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	if _, err := certificate.Verify(x509.VerifyOptions{DNSName: "localhost", Roots: roots}); err != nil {
		t.Error(err)
	}
	if err := certificate.CheckSignatureFrom(certificate); err != nil {
		t.Error(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// Its stdout ends with it: a process that lived on would keep this waiting.
	if rest, err := io.ReadAll(out); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
	_ = parent.Wait()
}
