package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// address is a host:port to listen on.
type address struct {
	host string
	port int
}

const wantAddress = `host:port as a string, such as "127.0.0.1:8080"`

// readServer checks the two addresses we listen on and the one we are reached
// under.
func (l *loader) readServer(cfg *Config, file object) {
	api, apiOK := l.listen(&cfg.Listen, file, "listen")
	admin, adminOK := l.listen(&cfg.AdminListen, file, "admin_listen")
	if apiOK && adminOK && api.clashes(admin) {
		at, ok := file.fields["admin_listen"]
		if !ok {
			at = file.fields["listen"]
		}
		l.fail(at, "listen and admin_listen are the same address; expected two")
	}
	if v, ok := file.fields["public_url"]; ok {
		cfg.PublicURL = l.publicURL(v)
		return
	}
	if !apiOK {
		return
	}
	if !isLoopback(api.host) || api.port == 0 {
		at := value{node: file.node, path: file.path.key("public_url")}
		l.fail(at, "required key is missing, as listen is not a loopback address with a fixed port; expected the URL under which acquirers reach this host")
	}
	cfg.PublicURL = "http://" + cfg.Listen
}

// listen replaces the default in *s by the field, and parses it.
func (l *loader) listen(s *string, file object, name string) (address, bool) {
	v, given := file.fields[name]
	if given {
		t, ok := l.text(v, wantAddress)
		if !ok {
			return address{}, false
		}
		if *s = t.val; t.val == "" && name == "admin_listen" {
			return address{}, true // without a port it clashes with none
		}
		if a, ok := parseAddress(t.val); ok {
			return a, true
		}
		l.fail(v, "found %s; expected %s, with a port from 0 to 65535", t.show(), wantAddress)
		return address{}, false
	}
	return parseAddress(*s)
}

func parseAddress(s string) (address, bool) {
	host, port, err := net.SplitHostPort(s)
	if err != nil || host != "" && !isHost(host) {
		return address{}, false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return address{host, int(n)}, err == nil
}

// clashes reports whether the system would refuse to listen on both.
func (a address) clashes(b address) bool {
	if a.port != b.port || a.port == 0 {
		return false
	}
	return a.all() || b.all() || a.ip() == b.ip()
}

func (a address) all() bool {
	ip, err := netip.ParseAddr(a.host)
	return a.host == "" || err == nil && ip.IsUnspecified()
}

func (a address) ip() string {
	if host := strings.ToLower(a.host); host != "localhost" {
		return host
	}
	return "127.0.0.1"
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// isHost reports whether s is an IP address or a DNS name.
func isHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if !isLabel(label) {
			return false
		}
	}
	// 10.0.0.256 is a mistyped address, not a name.
	last := labels[len(labels)-1]
	return len(s) <= 253 && strings.Trim(last, "0123456789") != ""
}

func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return true
}
