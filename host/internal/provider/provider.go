// Package provider is the host's side of one configured provider: it speaks the
// wire protocol to a plugin's process and gives every failure its outcome.
//
// It never sends a call twice, with one exception that is surely without
// effect: the process answered that it doesn't hold the instance.
package provider

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"sync/atomic"
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
	calls    lane // those that an acquirer is asked in
	parses   lane

	configures atomic.Uint64 // that succeeded; tells whether another call was faster
	doubtful   atomic.Bool   // the plugin may hold another account: configure before the next call
	setUp      chan struct{} // holds a token while one Configure runs
	account    string        // as first named; guarded by setUp
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
	callWait     = 10 * time.Second // for a slot; another provider may be free
	parseTimeout = 2 * time.Second
	localTimeout = 5 * time.Second // Describe and Configure: no network
	concurrency  = 64
)

// LongestCall is how long a call can take, all in all.
const LongestCall = callWait + callTimeout

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
		services: services, config: bytes.Clone(config),
		instance: &pb.Instance{Name: name, ConfigDigest: hex.EncodeToString(mac.Sum(nil))},
		calls:    lane{slots: make(chan struct{}, concurrency), wait: callWait, timeout: callTimeout, breaker: newBreaker()},
		parses:   lane{slots: make(chan struct{}, concurrency), wait: parseTimeout, timeout: parseTimeout},
		setUp:    make(chan struct{}, 1),
	}
}

// Describe asks the plugin what it is and can do.
func Describe(ctx context.Context, services Services) (wire.Description, error) {
	service, err := services.Service(ctx)
	if err != nil {
		return wire.Description{}, notSent(err)
	}
	ctx, cancel := context.WithTimeout(ctx, localTimeout)
	defer cancel()
	answer, err := service.Describe(ctx, &pb.DescribeRequest{})
	if err != nil {
		return wire.Description{}, lost(err)
	}
	d, err := wire.DescriptionFromProto(answer)
	if err == nil && (len(d.Capabilities.Rows) == 0 || len(d.Capabilities.QueryKeys) == 0) {
		err = sdk.NotSent(sdk.CodePluginAnswerInvalid, "the plugin describes no payment that it takes, or no key by which it can be asked about one")
	}
	return d, err
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
		return Configured{}, notSent(err)
	}
	if err := p.lockSetUp(ctx); err != nil {
		return Configured{}, err
	}
	defer p.unlockSetUp()
	return p.configure(ctx, service)
}

// configureAgain configures unless another call did since seen was read: after a
// restart all calls find the process empty at once, and each Configure throws
// away what the adapter has learnt, such as its token.
func (p *Provider) configureAgain(ctx context.Context, service pb.ProviderServiceClient, seen uint64) error {
	if err := p.lockSetUp(ctx); err != nil {
		return err
	}
	defer p.unlockSetUp()
	if p.configures.Load() != seen && !p.doubtful.Load() {
		return nil
	}
	_, err := p.configure(ctx, service)
	return err
}

func (p *Provider) lockSetUp(ctx context.Context) error {
	select {
	case p.setUp <- struct{}{}:
		return nil
	case <-ctx.Done():
		return sdk.NotSent(sdk.CodePluginTimeout, "the plugin is being configured for too long: %w", ctx.Err())
	}
}

func (p *Provider) unlockSetUp() { <-p.setUp }

func (p *Provider) configure(ctx context.Context, service pb.ProviderServiceClient) (Configured, error) {
	ctx, cancel := context.WithTimeout(ctx, localTimeout)
	defer cancel()
	answer, err := service.Configure(ctx, &pb.ConfigureRequest{Instance: p.instance, Config: p.config})
	if err != nil {
		return Configured{}, lost(err)
	}
	c, err := wire.ConfiguredAnswer(answer)
	if err != nil {
		return Configured{}, err
	}
	if p.account != "" && p.account != c.GetAccount() {
		// The plugin holds it now, and would take calls for it.
		p.doubtful.Store(true)
		return Configured{}, sdk.NotSent(sdk.CodePluginAnswerInvalid,
			"the plugin named account %q before and %q now, for the same config; payments don't move between accounts: run the plugin's earlier version, or configure a new provider", p.account, c.GetAccount())
	}
	p.account = c.GetAccount()
	p.doubtful.Store(false)
	p.configures.Add(1)
	return Configured{Account: c.GetAccount(), Refunds: c.GetRefunds(), Cancels: c.GetCancels()}, nil
}
