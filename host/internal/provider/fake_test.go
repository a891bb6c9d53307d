package provider

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/paymux/paymux/sdk"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// fake is a plugin's process in memory. It holds one config at most, as a
// process does after a restart, and counts what it is asked.
type fake struct {
	pb.UnimplementedProviderServiceServer

	mu         sync.Mutex
	asked      map[string]int // by method
	configs    []*pb.ConfigureRequest
	digest     string // of the config that it holds
	account    string
	configured func(context.Context) (*pb.ConfigureResponse, error) // instead of the usual answer
	// answer is what a call gets; nil, nil is a good result.
	answer func(ctx context.Context, method string) (*pb.Error, error)
	result *pb.Payment // of a good Create, Query or Cancel; nil is an empty answer
}

// begin counts a call; done tells that the call ends here, with what.
func (f *fake) begin(ctx context.Context, method string, in *pb.Instance) (failed *pb.Error, err error) {
	f.mu.Lock()
	f.asked[method]++
	holds, answer := f.digest != "" && f.digest == in.GetConfigDigest(), f.answer
	f.mu.Unlock()
	if !holds {
		return notConfigured(pb.Outcome_OUTCOME_NOT_SENT), nil
	}
	if answer == nil {
		return nil, nil
	}
	return answer(ctx, method)
}

func notConfigured(o pb.Outcome) *pb.Error {
	return &pb.Error{Code: uint32(sdk.CodeNotConfigured), Outcome: o, Message: "not here"}
}

func (f *fake) count(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[method]
}

// set changes the fake while calls run.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) Configure(ctx context.Context, r *pb.ConfigureRequest) (*pb.ConfigureResponse, error) {
	f.mu.Lock()
	f.asked["Configure"]++
	f.configs = append(f.configs, r)
	configured := f.configured
	f.mu.Unlock()
	if configured != nil {
		return configured(ctx)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.digest = r.GetInstance().GetConfigDigest()
	return &pb.ConfigureResponse{Result: &pb.ConfigureResponse_Configured{Configured: &pb.Configured{Account: f.account, Refunds: true}}}, nil
}

func (f *fake) Authorize(ctx context.Context, r *pb.AuthorizeRequest) (*pb.AuthorizeResponse, error) {
	failed, err := f.begin(ctx, "Authorize", r.GetInstance())
	if failed != nil {
		return &pb.AuthorizeResponse{Result: &pb.AuthorizeResponse_Error{Error: failed}}, err
	}
	return &pb.AuthorizeResponse{Result: &pb.AuthorizeResponse_Grant{Grant: &pb.Grant{}}}, err
}

func (f *fake) Create(ctx context.Context, r *pb.CreateRequest) (*pb.CreateResponse, error) {
	failed, err := f.begin(ctx, "Create", r.GetInstance())
	if failed != nil {
		return &pb.CreateResponse{Result: &pb.CreateResponse_Error{Error: failed}}, err
	}
	if f.result == nil {
		return &pb.CreateResponse{}, err
	}
	return &pb.CreateResponse{Result: &pb.CreateResponse_Payment{Payment: f.result}}, err
}

func (f *fake) Query(ctx context.Context, r *pb.QueryRequest) (*pb.QueryResponse, error) {
	failed, err := f.begin(ctx, "Query", r.GetInstance())
	if failed != nil {
		return &pb.QueryResponse{Result: &pb.QueryResponse_Error{Error: failed}}, err
	}
	return &pb.QueryResponse{Result: &pb.QueryResponse_Payment{Payment: f.result}}, err
}

func (f *fake) Cancel(ctx context.Context, r *pb.CancelRequest) (*pb.CancelResponse, error) {
	failed, err := f.begin(ctx, "Cancel", r.GetInstance())
	if failed != nil {
		return &pb.CancelResponse{Result: &pb.CancelResponse_Error{Error: failed}}, err
	}
	return &pb.CancelResponse{Result: &pb.CancelResponse_Payment{Payment: f.result}}, err
}

func (f *fake) Refund(ctx context.Context, r *pb.RefundRequest) (*pb.RefundResponse, error) {
	failed, err := f.begin(ctx, "Refund", r.GetInstance())
	if failed != nil {
		return &pb.RefundResponse{Result: &pb.RefundResponse_Error{Error: failed}}, err
	}
	return &pb.RefundResponse{Result: &pb.RefundResponse_Refund{Refund: &pb.Refund{}}}, err
}

func (f *fake) QueryRefund(ctx context.Context, r *pb.QueryRefundRequest) (*pb.QueryRefundResponse, error) {
	failed, err := f.begin(ctx, "QueryRefund", r.GetInstance())
	if failed != nil {
		return &pb.QueryRefundResponse{Result: &pb.QueryRefundResponse_Error{Error: failed}}, err
	}
	return &pb.QueryRefundResponse{Result: &pb.QueryRefundResponse_Refund{Refund: &pb.Refund{}}}, err
}

func (f *fake) ParseNotification(ctx context.Context, r *pb.ParseNotificationRequest) (*pb.ParseNotificationResponse, error) {
	failed, err := f.begin(ctx, "ParseNotification", r.GetInstance())
	if failed != nil {
		return &pb.ParseNotificationResponse{Result: &pb.ParseNotificationResponse_Error{Error: failed}}, err
	}
	return &pb.ParseNotificationResponse{Result: &pb.ParseNotificationResponse_Notification{Notification: &pb.Notification{}}}, err
}

// calls are all that a provider can be asked.
var calls = []struct {
	name string
	run  func(context.Context, *Provider) error
}{
	{"Authorize", func(ctx context.Context, p *Provider) error { _, err := p.Authorize(ctx); return err }},
	{"Create", func(ctx context.Context, p *Provider) error { _, err := p.Create(ctx, sdk.CreateRequest{}); return err }},
	{"Query", func(ctx context.Context, p *Provider) error { _, err := p.Query(ctx, sdk.QueryRequest{}); return err }},
	{"Cancel", func(ctx context.Context, p *Provider) error { _, err := p.Cancel(ctx, sdk.CancelRequest{}); return err }},
	{"Refund", func(ctx context.Context, p *Provider) error { _, err := p.Refund(ctx, sdk.RefundRequest{}); return err }},
	{"QueryRefund", func(ctx context.Context, p *Provider) error {
		_, err := p.QueryRefund(ctx, sdk.RefundQuery{})
		return err
	}},
	{"ParseNotification", func(ctx context.Context, p *Provider) error {
		_, err := p.ParseNotification(ctx, sdk.HTTPRequest{})
		return err
	}},
}

// services hands out the fake, or an error.
type services struct {
	client pb.ProviderServiceClient
	err    error
}

func (s services) Service(context.Context) (pb.ProviderServiceClient, error) { return s.client, s.err }

// serve serves a fake over real gRPC and returns a provider of it.
func serve(t *testing.T, f *fake) *Provider {
	t.Helper()
	f.asked = map[string]int{}
	if f.account == "" {
		f.account = "account-1"
	}
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	pb.RegisterProviderServiceServer(server, f)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	conn, err := grpc.NewClient("passthrough:///plugin", grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry(),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		<-served
	})
	p := New("main", []byte(`{"uid":"1","key":"s3cret"}`), services{client: pb.NewProviderServiceClient(conn)})
	p.configures.Store(1) // it was set up, and then the process was started again
	return p
}

// deadline is for tests that must end, whatever is broken.
func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// wantError checks outcome and code.
func wantError(t *testing.T, err error, outcome sdk.Outcome, code sdk.Code) {
	t.Helper()
	e := sdk.AsError(err)
	if e == nil || e.Outcome != outcome || e.Code != code {
		t.Errorf("got %v (%v), want outcome %s and code %s", err, outcomeOf(e), outcome, code.Name())
	}
}

func outcomeOf(e *sdk.Error) string {
	if e == nil {
		return "no error"
	}
	return e.Outcome.String()
}
