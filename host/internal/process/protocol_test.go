package process

import (
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// A host and a plugin need not be upgraded together: each serves its newest
// version of the protocol and the one before.
func TestProtocolVersions(t *testing.T) {
	const now = wire.Protocol
	for _, tt := range []struct {
		plugin string
		host   int // its newest
		want   int // 0: they have none in common
	}{
		{"good", now, now},
		{"good", now + 1, now}, // the plugin is of the version before
		{"newer", now, now},    // the host is
		{"newer", now + 1, now + 1},
		{"good", now + 2, 0},
		{"protocol", now, 0},
	} {
		t.Run(tt.plugin, func(t *testing.T) {
			s := start(t, tt.plugin, func(o *Options) { o.policy.protocol, o.policy.firstBackoff = tt.host, 1e9 })
			if tt.want == 0 {
				if why := s.failsToStart(t); !strings.Contains(why, "ncompatible") {
					t.Error(why)
				}
				return
			}
			service, err := s.Ready(t.Context())
			if err == nil {
				_, err = service.Describe(t.Context(), &pb.DescribeRequest{})
			}
			if got := s.Status().Protocol; err != nil || got != tt.want {
				t.Errorf("they speak %d, want %d: %v", got, tt.want, err)
			}
		})
	}
}
