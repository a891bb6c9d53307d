package process

import (
	"crypto/tls"
	"reflect"
	"testing"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/paymux/paymux/sdk/wire"
)

// go-plugin's defaults are for tools on a developer's machine: every field of
// its config is either set or known to be right as it is. A field that a later
// version adds must be looked at.
func TestClientConfig(t *testing.T) {
	p := &Process{opts: Options{policy: usual}}
	own, err := wire.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	s := newSession(&image{path: "x"}, own, 0, &stderrLog{logger: (&records{}).logger(), redact: redactSecret})
	t.Cleanup(func() { _ = s.printed.Close(); s.logging.Wait() })
	c := p.clientConfig("/run", s)
	for name, right := range map[string]bool{
		"HandshakeConfig":     c.HandshakeConfig == wire.Handshake(),
		"Plugins":             c.Plugins == nil, // VersionedPlugins are
		"VersionedPlugins":    len(c.VersionedPlugins) > 0,
		"Cmd":                 c.Cmd == nil,      // it would inherit the host's stdin
		"Reattach":            c.Reattach == nil, // without mutual TLS and versions
		"RunnerFunc":          c.RunnerFunc != nil,
		"SecureConfig":        c.SecureConfig == nil, // checks a path, and then executes it
		"TLSConfig":           c.TLSConfig != nil && c.TLSConfig.RootCAs != nil && len(c.TLSConfig.Certificates) == 1 && !c.TLSConfig.InsecureSkipVerify && c.TLSConfig.MinVersion >= tls.VersionTLS12,
		"Managed":             !c.Managed, // a list that only grows
		"MinPort":             true,       // no plugin listens on a port
		"MaxPort":             true,
		"StartTimeout":        c.StartTimeout == usual.start,
		"Stderr":              c.Stderr == nil,     // our runner reads it
		"SyncStdout":          c.SyncStdout != nil, // else what is printed is lost
		"SyncStderr":          c.SyncStderr != nil,
		"AllowedProtocols":    reflect.DeepEqual(c.AllowedProtocols, []goplugin.Protocol{goplugin.ProtocolGRPC}),
		"Logger":              c.Logger != nil,
		"PluginLogBufferSize": true,        // it sees no stderr
		"AutoMTLS":            !c.AutoMTLS, // ours is faster
		"GRPCDialOptions":     len(c.GRPCDialOptions) > 0,
		"GRPCBrokerMultiplex": !c.GRPCBrokerMultiplex,
		"SkipHostEnv":         c.SkipHostEnv,
		"UnixSocketConfig":    c.UnixSocketConfig != nil && c.UnixSocketConfig.TempDir == "/run" && c.UnixSocketConfig.Group == "",
	} {
		if !right {
			t.Errorf("%s isn't as it must be", name)
		}
		if _, ok := reflect.TypeFor[goplugin.ClientConfig]().FieldByName(name); !ok {
			t.Errorf("go-plugin has no field %s any more", name)
		}
	}
	if n := reflect.TypeFor[goplugin.ClientConfig]().NumField(); n != 23 {
		t.Errorf("go-plugin's config has %d fields; look at the new ones and add them here", n)
	}
}
