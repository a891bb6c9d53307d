package process

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// session is one life of the process. A new one is made for each start:
// go-plugin's client can't be used twice.
type session struct {
	image       *image
	attach      string          // see Options
	certificate tls.Certificate // the host's, in this life of the process
	grace       time.Duration
	client      *goplugin.Client
	service     pb.ProviderServiceClient
	health      grpc_health_v1.HealthClient
	started     time.Time

	log     *stderrLog
	printed *io.PipeWriter // what the plugin prints once it serves
	logging sync.WaitGroup

	mu     sync.Mutex
	doomed bool
	runner *childRunner // nil until go-plugin asks for it
	dir    string       // of the socket
	conns  map[*grpc.ClientConn]bool
}

var (
	errStopped = errors.New("it was stopped while it started")
	errEnded   = errors.New("it ended while it started")
)

func newSession(img *image, own tls.Certificate, grace time.Duration, log *stderrLog) *session {
	s := &session{image: img, certificate: own, grace: grace, log: log, started: time.Now().UTC(), conns: map[*grpc.ClientConn]bool{}}
	printed, writer := io.Pipe()
	s.printed = writer
	s.logging.Go(func() { log.read(printed) })
	return s
}

// newRunner is called by go-plugin to start the process.
func (s *session) newRunner(_ hclog.Logger, spec *exec.Cmd, socketDir string) (runner.Runner, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dir = socketDir
	if s.doomed {
		return nil, errStopped
	}
	if len(socketDir) > longestDir {
		return nil, fmt.Errorf("a socket in %s has too long a name for a unix socket; set TMPDIR to a shorter path", socketDir)
	}
	pemOf := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.certificate.Certificate[0]})
	env := append(spec.Env, wire.ClientCertificateEnv+"="+string(pemOf))
	s.runner = newChildRunner(s.image, socketDir, env, s.log)
	s.runner.attach = s.attach
	return s.runner, nil
}

// longestDir leaves room for the name of a socket in what the systems allow for
// its path, which is 104 bytes at least.
const longestDir = 80

// connect starts the process and returns once it answers. It ends at the latest
// when the process is killed.
func (s *session) connect(ctx context.Context, answer time.Duration) error {
	if _, err := s.client.Start(); err != nil {
		return err
	}
	running, cancel := s.whileItRuns(ctx)
	defer cancel()
	if err := s.dial(running, answer); err != nil {
		if s.exited() != nil && ctx.Err() == nil {
			return errEnded // what gRPC says of it depends on the moment
		}
		return err
	}
	if s.attach != "" {
		s.untilDisconnected()
	}
	return nil
}

// dial connects to the started process and waits for its answer.
func (s *session) dial(running context.Context, answer time.Duration) error {
	protocol, err := s.client.Client()
	if err != nil {
		return err
	}
	raw, err := protocol.Dispense(wire.PluginName)
	if err != nil {
		return err
	}
	conn, ok := protocol.(*goplugin.GRPCClient)
	if !ok {
		return errors.New("the plugin doesn't speak gRPC")
	}
	s.service = raw.(pb.ProviderServiceClient)
	s.health = grpc_health_v1.NewHealthClient(conn.Conn)
	return s.check(running, answer)
}

// whileItRuns ends a context with the process: gRPC would go on to dial it.
func (s *session) whileItRuns(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	done := s.child().done
	go func() {
		defer cancel()
		select {
		case <-done:
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// check asks after the process's health.
func (s *session) check(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answer, err := s.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: goplugin.GRPCServiceName}, grpc.WaitForReady(true))
	if err != nil {
		return err
	}
	if answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		return fmt.Errorf("its health is %s", answer.GetStatus())
	}
	return nil
}

// brokerStream is go-plugin's way to open further connections. We use none, and
// for each message on it go-plugin starts a goroutine: a plugin could flood us.
const brokerStream = "/plugin.GRPCBroker/StartStream"

// stream opens go-plugin's own streams and remembers their connection: go-plugin
// forgets to close that of a plugin that dies while it connects. The streams end
// with the process, whoever else may hold its socket open.
func (s *session) stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	s.mu.Lock()
	s.conns[cc] = true
	s.mu.Unlock()
	if method == brokerStream {
		return nil, status.Error(codes.Unimplemented, "the broker isn't used")
	}
	ctx, _ = s.whileItRuns(ctx)
	return streamer(ctx, desc, cc, method, opts...)
}

// kill ends the process at once, also one that is being started.
func (s *session) kill() {
	s.mu.Lock()
	s.doomed = true
	r := s.runner
	s.mu.Unlock()
	if r != nil {
		_ = r.Kill(context.Background())
	}
}

// child returns the process's runner, nil if it came not so far.
func (s *session) child() *childRunner {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runner
}

// exited returns how the process ended, nil if it runs or never ran.
func (s *session) exited() *Exit {
	r := s.child()
	if r == nil || r.ID() == "" {
		return nil
	}
	select {
	case <-r.done:
		exit := r.exit
		return &exit
	default:
		return nil
	}
}

// stop ends the process and what go-plugin holds for it, within three times the
// grace. go-plugin's own Kill has no deadline, and nothing ends a process that
// the kernel doesn't let go of: then stop gives up and returns false.
func (s *session) stop() (ended bool) {
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		s.client.Kill()
	}()
	if !within(s.grace, killed) {
		s.kill()
		ended = within(s.grace, killed)
	} else {
		ended = true
	}
	if r := s.child(); r != nil && !within(s.grace, r.done) {
		ended = false
	}
	s.mu.Lock()
	for conn := range s.conns {
		_ = conn.Close()
	}
	dir := s.dir
	s.mu.Unlock()
	_ = s.printed.Close()
	s.logging.Wait()
	if dir != "" {
		_ = os.RemoveAll(dir)
	}
	return ended
}

// within waits for an event, but not for ever.
func within(limit time.Duration, event <-chan struct{}) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-event:
		return true
	case <-timer.C:
		return false
	}
}

// failure says why a start failed, in one line.
func (s *session) failure(err error, limit time.Duration) error {
	how := ""
	if exit := s.exited(); exit != nil && !exit.Attached {
		how = "; it " + exit.String()
		if exit.Signal != "killed" && exit.Code != 0 && !errors.Is(err, errStopped) { // not by us: it ended of itself
			return fmt.Errorf("%s is no paymux plugin, or could not start%s", s.image.path, how)
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s did not become ready within %s%s", s.image.path, limit, how)
	}
	text := s.log.clean(strings.Join(strings.Fields(err.Error()), " "))
	return fmt.Errorf("start %s: %s%s", s.image.path, cut(text, tailLength), how)
}
