package acquirer

import "testing"

// Nobody that the environment names stands between. (net/http asks no
// proxy for this machine, and reads the environment once, so that it can't be seen
// from outside.)
func TestTheEnvironmentsProxyIsIgnored(t *testing.T) {
	c := NewClient(Options{})
	defer c.Close()
	if c.network.Proxy != nil {
		t.Error("requests go through a proxy")
	}
}
