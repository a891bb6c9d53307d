package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/paymux/paymux/examples/internal/process"
)

// settings are where things are and what they share.
type settings struct {
	bin, dir                   string
	sandbox, host, admin, shop string // host:port
	apiKey                     string
	lock                       *os.File
}

// uid is the merchant number at the sandbox.
const uid = "39172931"

// The files of secrets, below dir.
const (
	clientSecretFile = "secrets/client-secret"
	webhookKeyFile   = "secrets/webhook-key"
	apiKeyFile       = "secrets/api-key"
)

// prepare makes the folder, the secrets and the config.
func prepare(bin, dir string, out *narrator) (*settings, error) {
	s := &settings{bin: bin, dir: dir}
	if err := process.Find(bin, "sandbox", "paymux", "shop", "plugins/paymux-provider-alipayhk"); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "secrets"), 0o700); err != nil {
		return nil, err
	}
	var err error
	if s.lock, err = os.OpenFile(s.file("lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		s.lock.Close()
		return nil, fmt.Errorf("another demo runs in %s; stop it, or choose another folder: %s -dir FOLDER", dir, s.binary("demo"))
	}
	for _, name := range []string{clientSecretFile, webhookKeyFile, apiKeyFile} {
		if err := makeSecret(s.file(name)); err != nil {
			return nil, err
		}
	}
	if s.apiKey, err = s.secret(apiKeyFile); err != nil {
		return nil, err
	}
	if err := s.takeAddresses(out); err != nil {
		return nil, err
	}
	return s, s.writeConfig()
}

func (s *settings) unlock() { s.lock.Close() }

func (s *settings) binary(name string) string { return filepath.Join(s.bin, name) }
func (s *settings) file(name string) string   { return filepath.Join(s.dir, name) }

func (s *settings) secret(name string) (string, error) {
	text, err := os.ReadFile(s.file(name))
	return strings.TrimSpace(string(text)), err
}

// makeSecret writes a random secret unless there is one.
func makeSecret(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	random := make([]byte, 24)
	_, _ = rand.Read(random) // never fails
	_, err = fmt.Fprintln(f, hex.EncodeToString(random))
	return errors.Join(err, f.Close())
}

// takeAddresses finds a port for each. All are held until all are found, so that
// none is found twice.
func (s *settings) takeAddresses(out *narrator) error {
	for _, a := range []struct {
		what      string
		preferred int
		address   *string
	}{{"sandbox", 8090, &s.sandbox}, {"paymux", 8080, &s.host}, {"paymux's admin", 8081, &s.admin}, {"shop", 8070, &s.shop}} {
		l, err := listen(a.what, a.preferred, out)
		if err != nil {
			return err
		}
		defer l.Close()
		*a.address = l.Addr().String()
	}
	return nil
}

// listen takes the preferred port, or a free one if that is busy.
func listen(what string, preferred int, out *narrator) (net.Listener, error) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", preferred))
	if err == nil {
		return l, nil
	}
	if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	out.printf("  port %d is busy: %s takes %s\n", preferred, what, l.Addr())
	return l, nil
}

const configText = `# Written by the demo at each start: what you change here is lost.
# docs/config.md has all keys.
listen: %s
admin_listen: %s
store: sqlite:paymux.db
plugins: {dir: %q}
api_keys: [{merchant: harbour-tea, key: "${file:secrets/api-key}"}]
return_hosts: [127.0.0.1]

providers:
  cbtis:
    plugin: alipayhk
    config:
      base_url: http://%s      # the sandbox acquirer
      uid: "%s"
      client_secret: "${file:secrets/client-secret}"
      webhook_keys: ["${file:secrets/webhook-key}"]
      # The sandbox's own codes: the acquirer publishes none.
      codes: {refused: [40000, 40001, 40002, 40003, 40004], not_found: [40400]}

routes:
  - {methods: [alipay_hk, alipay_cn], currencies: [HKD], providers: [cbtis]}
`

func (s *settings) configFile() string { return s.file("paymux.yaml") }

func (s *settings) writeConfig() error {
	plugins, err := filepath.Abs(s.binary("plugins"))
	if err != nil {
		return err
	}
	text := fmt.Sprintf(configText, s.host, s.admin, plugins, s.sandbox, uid)
	return os.WriteFile(s.configFile(), []byte(text), 0o600)
}
