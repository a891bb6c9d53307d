package process

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"testing"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// BenchmarkStart takes turns: from nothing to the first answered call, with the
// digest verified and mutual TLS, by go-plugin's own means and by ours. Ours is
// measured as a restart (the image is known) and as the first start of a host.
func BenchmarkStart(b *testing.B) {
	digest, err := FileDigest(built)
	if err != nil {
		b.Fatal(err)
	}
	images := NewImages()
	ways := []struct {
		name string
		life func(*testing.B)
	}{
		{"stock", func(b *testing.B) { stockLife(b, digest) }},
		{"paymux-first", func(b *testing.B) { life(b, digest, NewImages()) }},
		{"paymux", func(b *testing.B) { life(b, digest, images) }},
	}
	for _, w := range ways {
		b.Run(w.name, func(b *testing.B) {
			for b.Loop() {
				w.life(b)
			}
		})
	}
}

func life(b *testing.B, digest string, images *Images) {
	p := Start(Options{Name: "bench", Path: built, SHA256: digest, Images: images})
	service, err := p.Ready(b.Context())
	if err == nil {
		_, err = service.Describe(b.Context(), &pb.DescribeRequest{})
	}
	b.StopTimer()
	p.Stop()
	b.StartTimer()
	if err != nil {
		b.Fatal(err)
	}
}

// stockLife is what go-plugin's documentation recommends.
func stockLife(b *testing.B, digest string) {
	sum, err := hex.DecodeString(digest)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(built)
	cmd.Args[0] = "stock"
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  wire.Handshake(),
		VersionedPlugins: map[int]goplugin.PluginSet{wire.Protocol: {wire.PluginName: &wire.GRPCPlugin{}}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		Cmd:              cmd,
		SecureConfig:     &goplugin.SecureConfig{Checksum: sum, Hash: sha256.New()},
		Logger:           hclog.NewNullLogger(),
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: os.TempDir()},
	})
	err = stockCall(b, client)
	b.StopTimer()
	client.Kill()
	b.StartTimer()
	if err != nil {
		b.Fatal(err)
	}
}

func stockCall(b *testing.B, client *goplugin.Client) error {
	protocol, err := client.Client()
	if err != nil {
		return err
	}
	raw, err := protocol.Dispense(wire.PluginName)
	if err != nil {
		return err
	}
	_, err = raw.(pb.ProviderServiceClient).Describe(b.Context(), &pb.DescribeRequest{})
	return err
}
