package wire

import goplugin "github.com/hashicorp/go-plugin"

// Protocol is the version of the protocol spoken; hosts serve it and the one before.
const Protocol = 1

// PluginName is the one service that a plugin dispenses.
const PluginName = "provider"

// MaxMessageBytes bounds every message both ways. The largest legal one is a
// notification: 64 KiB of body and its headers.
const MaxMessageBytes = 1 << 20

// Handshake tells a provider plugin from any other program. It is no secret and
// never changes.
func Handshake() goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{
		ProtocolVersion:  Protocol,
		MagicCookieKey:   "PAYMUX_PROVIDER",
		MagicCookieValue: "v1",
	}
}

// Served are the versions of the protocol that a side whose newest is N serves:
// N and the one before, so that hosts and plugins need not be upgraded together.
func Served(newest int, plugin *GRPCPlugin) map[int]goplugin.PluginSet {
	all := map[int]goplugin.PluginSet{newest: {PluginName: plugin}}
	if newest > 1 {
		all[newest-1] = goplugin.PluginSet{PluginName: plugin}
	}
	return all
}
