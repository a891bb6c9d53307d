package plugin

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"

	"github.com/paymux/paymux/sdk/acquirer/transcript"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// recordFlag has a plugin record what goes to its acquirers. It is an argument
// because a host gives its plugins none: only who starts one by hand can record
// (docs/debug.md), and no config or environment ever does.
const recordFlag = "--paymux-record="

// record opens the transcript that the arguments ask for; nil if none.
func record(args []string) (*transcript.Recorder, error) {
	for _, arg := range args {
		path, asked := strings.CutPrefix(arg, recordFlag)
		if !asked {
			continue
		}
		// It holds payers' data, and an older one is never mixed with it.
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", recordFlag, err)
		}
		hclog.Default().Warn("this plugin RECORDS all that goes to its acquirers and comes from them", "file", path)
		return transcript.NewRecorder(file, transcript.Options{}), nil
	}
	return nil, nil
}

// recording is in front of each call while there is a recorder.
func (s *Server) recording(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	r, ok := request.(interface{ GetInstance() *pb.Instance })
	if !ok {
		return handle(ctx, request)
	}
	in, err := s.find(r)
	if err != nil || in.recorder == nil {
		return handle(ctx, request)
	}
	if n, ok := request.(*pb.ParseNotificationRequest); ok {
		in.recorder.Notification(wire.HTTPRequestFromProto(n.GetRequest()))
	}
	defer func() {
		if err := in.recorder.Err(); err != nil {
			s.recordFailed.Do(func() { hclog.Default().Error("the transcript ends here: it can't be written", "error", err) })
		}
	}()
	return handle(transcript.NewContext(ctx, in.recorder), request)
}
