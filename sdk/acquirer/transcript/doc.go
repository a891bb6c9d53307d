// Package transcript records what an adapter and its acquirer say to each other,
// without secrets, and plays it back strictly in order.
//
// A transcript is a text with one [Entry] in JSON a line: an exchange over HTTP,
// or a notification that came. It serves two ends: a test that needs no acquirer,
// and a look at what was really said.
//
//	recorder := transcript.NewRecorder(file, transcript.Options{Secrets: …})
//	client := acquirer.NewClient(acquirer.Options{Transport: recorder.Transport})
//
// and later, with [NewReplayer], the same calls again. For a running plugin see
// docs/debug.md.
//
// # What is left out
//
// Everywhere: the values in [Options], in every form ([Options] is filled from the
// config's marks where paymux/sdk/plugin records), and whatever was learned from
// the places below. Headers, unless they are known to be harmless. Members of
// JSON, fields of forms and parameters of URLs whose name says token, secret, API
// key or the like; in JSON, URLs and forms within strings too. Bodies that are
// neither JSON nor a form, as a whole: nobody can say what is a secret in them.
//
// Payers' data that an acquirer sends is not left out.
package transcript
