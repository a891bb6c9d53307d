package plugin

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer/transcript"
	"github.com/paymux/paymux/sdk/internal/marks"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// Server answers the host's calls for all instances of one plugin. Serve makes
// one; tests may use it without a process.
type Server struct {
	pb.UnimplementedProviderServiceServer
	plugin sdk.Plugin
	marks  *marks.Marks

	recorder     *transcript.Recorder // nil unless it is asked for
	recordFailed sync.Once

	mu        sync.RWMutex
	instances map[string]*instance
}

// instance is a configured provider.
type instance struct {
	digest   string
	provider sdk.Provider
	redactor redactor
	recorder *transcript.Recorder // with this instance's secrets
}

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// NewServer checks the plugin's definition and returns its server.
func NewServer(p sdk.Plugin) (*Server, error) {
	switch {
	case !namePattern.MatchString(p.Info.Name):
		return nil, fmt.Errorf("Info.Name %q must match %s", p.Info.Name, namePattern)
	case p.Info.Version == "":
		return nil, errors.New("Info.Version is empty")
	case p.Open == nil:
		return nil, errors.New("the field Open is nil")
	}
	if err := checkCapabilities(p.Capabilities); err != nil {
		return nil, fmt.Errorf("field Capabilities: %w", err)
	}
	m, err := marks.Parse(p.ConfigSchema)
	if err != nil {
		return nil, fmt.Errorf("config schema: %w", err)
	}
	return &Server{plugin: p, marks: m, instances: map[string]*instance{}}, nil
}

// Describe says what the plugin is and can do.
func (s *Server) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	return wire.DescriptionToProto(wire.Description{
		Info: s.plugin.Info, ConfigSchema: s.plugin.ConfigSchema, Capabilities: s.plugin.Capabilities,
	}), nil
}

// Configure opens a provider with a config that the host has validated by the
// schema, and puts it in the place of the one before; calls
// that run on the old one end on it.
func (s *Server) Configure(ctx context.Context, r *pb.ConfigureRequest) (*pb.ConfigureResponse, error) {
	if r.GetInstance().GetName() == "" || r.GetInstance().GetConfigDigest() == "" {
		err := wire.ErrorToProto(sdk.InvalidField("instance", "must have a name and a digest"))
		return &pb.ConfigureResponse{Result: &pb.ConfigureResponse_Error{Error: err}}, nil
	}
	in, configured, err := s.open(ctx, r)
	if err != nil {
		return &pb.ConfigureResponse{Result: &pb.ConfigureResponse_Error{Error: err}}, nil
	}
	s.mu.Lock()
	s.instances[r.GetInstance().GetName()] = in
	s.mu.Unlock()
	return &pb.ConfigureResponse{Result: &pb.ConfigureResponse_Configured{Configured: configured}}, nil
}

func (s *Server) open(ctx context.Context, r *pb.ConfigureRequest) (in *instance, out *pb.Configured, failed *pb.Error) {
	secrets := s.marks.Secrets(r.GetConfig())
	in = &instance{digest: r.GetInstance().GetConfigDigest(), redactor: newRedactor(secrets)}
	if s.recorder != nil {
		in.recorder = s.recorder.With(transcript.Options{Secrets: secrets})
	}
	defer func() { failed = in.redactor.error(failed) }()
	defer recoverTo(&failed)
	account, err := s.marks.Account(r.GetConfig())
	if err != nil {
		return in, nil, wire.ErrorToProto(sdk.ConfigError("", "%w", err))
	}
	in.provider, err = s.plugin.Open(ctx, sdk.NewConfig(r.GetInstance().GetName(), r.GetConfig()))
	if err != nil {
		return in, nil, wire.ErrorToProto(err)
	}
	if in.provider == nil {
		return in, nil, wire.ErrorToProto(errors.New("the function Open returned no provider and no error"))
	}
	_, refunds := in.provider.(sdk.Refunder)
	_, cancels := in.provider.(sdk.Canceller)
	return in, &pb.Configured{Account: account, Refunds: refunds, Cancels: cancels}, nil
}

// find returns the instance that the host means, by name and digest: a call
// never runs on a config other than the host's.
func (s *Server) find(r interface{ GetInstance() *pb.Instance }) (*instance, error) {
	s.mu.RLock()
	in := s.instances[r.GetInstance().GetName()]
	s.mu.RUnlock()
	if in == nil || in.digest != r.GetInstance().GetConfigDigest() {
		return nil, sdk.NotSent(sdk.CodeNotConfigured, "this process doesn't hold instance %q with this config", r.GetInstance().GetName())
	}
	return in, nil
}
