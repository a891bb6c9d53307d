package plugin

import (
	"context"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// Neither way a message is larger than the protocol allows.
func TestMessagesAreBounded(t *testing.T) {
	const large = wire.MaxMessageBytes + 1
	s := &Server{plugin: sdk.Plugin{Info: sdk.Info{DocsURL: strings.Repeat("x", large)}}}
	listener := bufconn.Listen(large)
	g := s.newGRPCServer(nil)
	pb.RegisterProviderServiceServer(g, s)
	served := make(chan struct{})
	go func() { defer close(served); _ = g.Serve(listener) }()
	t.Cleanup(func() { g.Stop(); <-served })
	conn, err := grpc.NewClient("passthrough:///plugin", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	client := pb.NewProviderServiceClient(conn)
	if _, err := client.Configure(t.Context(), &pb.ConfigureRequest{Config: make([]byte, large)}); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a large request: %v", err)
	}
	if _, err := client.Describe(t.Context(), &pb.DescribeRequest{}); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a large answer: %v", err)
	}
}
