// Package httpapi serves a host over HTTP: the merchants' API, the acquirers'
// notifications, and the operators' endpoints. It is a thin layer: what a
// payment may do is decided by package host.
//
// docs/http-api.md is the guide, openapi.json the reference; a test holds every
// answer against the latter.
package httpapi
