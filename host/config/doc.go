// Package config reads paymux.yaml: it parses the file, resolves ${env:NAME}
// and ${file:PATH}, checks every value and reports all mistakes at once, each
// with its file, line, column and path.
//
// Only the host and the command line need it. It knows nothing of any plugin:
// a provider's own config is handed on as a JSON object, and [Config.AtConfig]
// turns a plugin's complaint about it back into a place in the file.
//
// Values that came through ${…} are treated as secrets. They stand in no
// message of this package, and [Config.Secrets] lists them for redaction.
//
// Every key is described in docs/config.md.
package config
