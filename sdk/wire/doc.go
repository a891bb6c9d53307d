// Package wire carries the contract of package sdk over gRPC: the protocol
// paymux.provider.v1, the conversions both ways, and the handshake. It is for
// the host and for sdk/plugin; plugin authors use package sdk only.
//
// The conversions lose nothing that the contract allows, and turn whatever they
// have not heard of into the careful value: an unknown status, an unknown
// outcome. What breaks the contract (an amount out of its grammar, a missing
// result) is an error, which the host takes for an unknown outcome.
package wire
