// Package provider is the host's side of one configured provider: it speaks the
// wire protocol to a plugin's process and gives every failure its outcome.
//
// It never sends a call twice, with one exception that is surely without
// effect: the process answered that it doesn't hold the instance.
package provider

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// Service is what a running plugin serves.
type Service = pb.ProviderServiceClient

// Services gives the running plugin's service; *process.Process is one.
type Services interface {
	Service(ctx context.Context) (pb.ProviderServiceClient, error)
}

// Provider is a configured provider. It implements sdk.Provider, sdk.Refunder
// and sdk.Canceller; what the plugin lacks answers UNIMPLEMENTED.
type Provider struct {
	services Services
	config   []byte
	instance *pb.Instance
	slots    chan struct{} // bounds the calls that run at once

	mu         sync.Mutex // one Configure at a time
	configured *pb.Configured
}

var (
	_ sdk.Provider  = (*Provider)(nil)
	_ sdk.Refunder  = (*Provider)(nil)
	_ sdk.Canceller = (*Provider)(nil)
)

// The time that a plugin gets for each call. An adapter's own limit towards the
// acquirer is shorter, so that its error is the better one.
const (
	callTimeout  = 30 * time.Second
	parseTimeout = 2 * time.Second
	localTimeout = 5 * time.Second // Describe and Configure: no network
	concurrency  = 64
)

// digestKey keeps config digests from telling anything about short secrets.
var digestKey = sync.OnceValue(func() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the program instead
	return key
})

// New returns the provider called name. config is a JSON object.
func New(name string, config []byte, services Services) *Provider {
	mac := hmac.New(sha256.New, digestKey())
	mac.Write(config)
	return &Provider{
		services: services, config: config,
		instance: &pb.Instance{Name: name, ConfigDigest: hex.EncodeToString(mac.Sum(nil))},
		slots:    make(chan struct{}, concurrency),
	}
}

// Describe asks the plugin what it is and can do.
func Describe(ctx context.Context, services Services) (wire.Description, error) {
	service, err := services.Service(ctx)
	if err != nil {
		return wire.Description{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, localTimeout)
	defer cancel()
	answer, err := service.Describe(ctx, &pb.DescribeRequest{})
	if err != nil {
		return wire.Description{}, lost(err)
	}
	return wire.DescriptionFromProto(answer)
}

// Configured is what the plugin said of the instance.
type Configured struct {
	Account          string
	Refunds, Cancels bool
}

// Configure hands the config to the plugin and returns the account that it names.
func (p *Provider) Configure(ctx context.Context) (Configured, error) {
	service, err := p.services.Service(ctx)
	if err != nil {
		return Configured{}, err
	}
	c, err := p.configure(ctx, service)
	return Configured{c.GetAccount(), c.GetRefunds(), c.GetCancels()}, err
}

func (p *Provider) configure(ctx context.Context, service pb.ProviderServiceClient) (*pb.Configured, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, localTimeout)
	defer cancel()
	answer, err := service.Configure(ctx, &pb.ConfigureRequest{Instance: p.instance, Config: p.config})
	if err != nil {
		return nil, lost(err)
	}
	now, err := wire.ConfiguredAnswer(answer)
	if err != nil {
		return nil, err
	}
	if p.configured != nil && p.configured.GetAccount() != now.GetAccount() {
		return nil, sdk.NotSent(sdk.CodePluginAnswerInvalid, "the plugin named account %q before and %q now, for the same config", p.configured.GetAccount(), now.GetAccount())
	}
	p.configured = now
	return now, nil
}
