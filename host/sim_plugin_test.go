package host

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/paymux/paymux/host/internal/provider"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/plugin"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// What an acquirer promises, by its plugin's capabilities.
const (
	simSettling = 10 * time.Minute
	simWindow   = 30 * time.Minute // in which the native one takes an identical Create for the same
)

// simPlugin is a plugin's process: the real server of the sdk. It may crash, and
// it may be down for a while.
type simPlugin struct {
	s *sim
	a *simAcquirer

	mu        sync.Mutex
	server    *plugin.Server
	ended     chan struct{} // when this process ends
	downUntil time.Time
}

func newSimPlugin(s *sim, a *simAcquirer) *simPlugin { return &simPlugin{s: s, a: a} }

var simCurrencies = []string{"HKD", "JPY", "KWD"} // 2, 0 and 3 decimals

func (p *simPlugin) restart() {
	c := sdk.Capabilities{
		QueryKeys: []sdk.QueryKey{sdk.QueryByMerchantOrder, sdk.QueryByAcquirerOrder}, NotFoundSettling: simSettling,
		CreateRetry: sdk.CreateRetry{Native: p.a.native},
	}
	if p.a.native {
		c.CreateRetry.Window = simWindow
	}
	for _, m := range sdk.Methods() {
		for _, currency := range simCurrencies {
			c.Rows = append(c.Rows, sdk.Capability{Method: m, Flow: sdk.MobileWeb, Currency: currency, Actions: []sdk.ActionType{sdk.ActionRedirect}})
		}
	}
	server, err := plugin.NewServer(sdk.Plugin{
		Info: sdk.Info{Name: p.a.name, Version: "1.0.0", Acquirer: "Simulated"}, Capabilities: c,
		ConfigSchema: `{"type":"object","additionalProperties":false,"required":["uid"],"properties":{"uid":{"type":"string","x-paymux-account":true}}}`,
		Open:         func(context.Context, sdk.Config) (sdk.Provider, error) { return p.a, nil },
	})
	if err != nil {
		p.s.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended != nil {
		close(p.ended)
	}
	p.server, p.ended = server, make(chan struct{})
}

// stop keeps the process from running for a while.
func (p *simPlugin) stop(d time.Duration) {
	p.restart()
	p.mu.Lock()
	p.downUntil = time.Now().Add(d)
	p.mu.Unlock()
}

func (p *simPlugin) repair() {
	p.mu.Lock()
	p.downUntil = time.Time{}
	p.mu.Unlock()
}

// simServices is what one life of the host sees of a plugin.
type simServices struct {
	p *simPlugin
	l *simLife
}

func (v simServices) Service(context.Context) (provider.Service, error) {
	v.p.mu.Lock()
	defer v.p.mu.Unlock()
	if time.Now().Before(v.p.downUntil) {
		return nil, sdk.NotSent(sdk.CodePluginUnavailable, "the plugin is down")
	}
	return &simService{v.p, v.l, v.p.server, v.p.ended}, nil
}

// simService is a connection of one life of the host to one process. It is cut
// when either ends.
type simService struct {
	p      *simPlugin
	l      *simLife
	server *plugin.Server
	ended  chan struct{}
}

// simCall is one RPC. The plugin goes on with it after the host has given up, as
// a request that has left goes on.
func simCall[Req, Resp any](ctx context.Context, c *simService, rpc func(context.Context, Req) (Resp, error), r Req) (resp Resp, err error) {
	cut := status.Error(codes.Unavailable, "the simulated process ended")
	if c.l.dead() {
		return resp, cut
	}
	done := make(chan struct{})
	var late Resp
	var lateErr error
	c.p.s.spawn(func() {
		late, lateErr = rpc(context.WithoutCancel(ctx), r)
		close(done)
	})
	select {
	case <-done:
		if c.l.dead() {
			return resp, cut
		}
		return late, lateErr
	case <-ctx.Done():
		return resp, status.FromContextError(ctx.Err()).Err()
	case <-c.ended:
		return resp, cut
	case <-c.l.ended:
		return resp, cut
	}
}

func (c *simService) Describe(ctx context.Context, r *pb.DescribeRequest, _ ...grpc.CallOption) (*pb.DescribeResponse, error) {
	return simCall(ctx, c, c.server.Describe, r)
}

func (c *simService) Configure(ctx context.Context, r *pb.ConfigureRequest, _ ...grpc.CallOption) (*pb.ConfigureResponse, error) {
	return simCall(ctx, c, c.server.Configure, r)
}

func (c *simService) Authorize(ctx context.Context, r *pb.AuthorizeRequest, _ ...grpc.CallOption) (*pb.AuthorizeResponse, error) {
	return simCall(ctx, c, c.server.Authorize, r)
}

func (c *simService) Create(ctx context.Context, r *pb.CreateRequest, _ ...grpc.CallOption) (*pb.CreateResponse, error) {
	resp, err := simCall(ctx, c, c.server.Create, r)
	c.p.s.heard(c, r.GetOrder(), "create", resp.GetPayment(), resp.GetError(), err)
	if resp.GetError().GetOutcome() == pb.Outcome_OUTCOME_NOT_SENT {
		c.p.s.heardNotSent(r.GetRequestId())
	}
	return resp, err
}

func (c *simService) Query(ctx context.Context, r *pb.QueryRequest, _ ...grpc.CallOption) (*pb.QueryResponse, error) {
	resp, err := simCall(ctx, c, c.server.Query, r)
	c.p.s.heard(c, r.GetOrder(), "query", resp.GetPayment(), resp.GetError(), err)
	return resp, err
}

func (c *simService) Cancel(ctx context.Context, r *pb.CancelRequest, _ ...grpc.CallOption) (*pb.CancelResponse, error) {
	resp, err := simCall(ctx, c, c.server.Cancel, r)
	c.p.s.heard(c, r.GetOrder(), "cancel", resp.GetPayment(), resp.GetError(), err)
	return resp, err
}

func (c *simService) ParseNotification(ctx context.Context, r *pb.ParseNotificationRequest, _ ...grpc.CallOption) (*pb.ParseNotificationResponse, error) {
	resp, err := simCall(ctx, c, c.server.ParseNotification, r)
	if resp.GetError().GetCode() == uint32(sdk.CodeSignatureInvalid) {
		c.p.s.heardForged(c.p.a.name, r.GetRequest().GetBody())
	}
	return resp, err
}

// Refunds aren't simulated.

func (c *simService) Refund(ctx context.Context, r *pb.RefundRequest, _ ...grpc.CallOption) (*pb.RefundResponse, error) {
	return simCall(ctx, c, c.server.Refund, r)
}

func (c *simService) QueryRefund(ctx context.Context, r *pb.QueryRefundRequest, _ ...grpc.CallOption) (*pb.QueryRefundResponse, error) {
	return simCall(ctx, c, c.server.QueryRefund, r)
}

// heard is called with each answer that the host gets of an acquirer.
func (s *sim) heard(c *simService, asked *pb.Order, call string, p *pb.Payment, failed *pb.Error, err error) {
	what := ""
	switch {
	case c.l.dead():
		what = "nothing: the host is dead"
	case err != nil:
		what = "no answer: " + status.Convert(err).Message()
	case failed != nil:
		what = fmt.Sprintf("%s %s", sdk.Code(failed.GetCode()).Name(), failed.GetOutcome())
	default:
		what = fmt.Sprintf("%s %s/%s %s %s", p.GetStatus(), p.GetOrder().GetMerchantOrderId(), p.GetOrder().GetAcquirerOrderId(), p.GetOrder().GetMoney().GetAmount(), p.GetOrder().GetMoney().GetCurrency())
		s.mustFlag(c, asked, p)
	}
	s.log("%s hears of %s %s/%s: %s", c.p.a.name, call, asked.GetMerchantOrderId(), asked.GetAcquirerOrderId(), what)
}
