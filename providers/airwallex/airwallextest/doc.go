// Package airwallextest is a stateful, in-process sandbox of the acquirer
// Airwallex, in the spirit of net/http/httptest: a test starts it, points a
// client at it, pays on its wallet page, and receives its signed notifications.
// No money exists anywhere in it.
//
//	srv := airwallextest.Start(t, airwallextest.Options{})
//	// … a client creates and confirms a payment intent at srv.URL …
//	srv.Pay("P9297895081903")
//
// It was written from the acquirer's documentation and the types of its own
// Node.js client, which a test drives against it, and not from the adapter.
//
// # What the acquirer documents
//
// The login with its headers, its 201 and its token of 30 minutes; Bearer
// tokens and x-api-version; the paths; create and confirm as two steps, each
// with a request_id; amounts as JSON numbers in major units; the methods
// alipayhk and alipaycn with their flows and the next action of each; the
// statuses; the search by merchant_order_id and its {has_more, items}; cancel;
// refunds with their limits of 64 and 128 characters; the shopper_actions of
// the real sandbox; notifications, their signature, their repetition over three
// days under the same id, and the acknowledgement by HTTP 200.
//
// # What is the sandbox's own invention
//
// None of the following is evidence about the real service; each is a choice
// made here, and an option where a client might depend on it:
//
//   - all error codes (see [Codes]) and which HTTP status comes with one, as far
//     as the types of errors of the vendor's client don't say it;
//   - a repeated request_id answers with the same object if the body is the
//     same, and is refused if not ([Options.RefuseRepeats] refuses both);
//   - a merchant_order_id may be used again: the search then finds both;
//   - unknown and duplicate members are refused ([Options.AllowUnknownFields]
//     permits the first), so that a misspelt field is found here;
//   - alipayhk takes HKD only and alipaycn CNY only, as in the examples;
//   - amounts have at most two decimals and are echoed without trailing zeros;
//   - a payer who cancels makes the attempt fail: the intent is
//     REQUIRES_PAYMENT_METHOD again and can be confirmed with a new request_id;
//   - pages of lists have 10 items and are numbered from 0, newest first;
//   - cancel is refused once an intent has ended;
//   - refunds are RECEIVED, and SETTLED 2 s later ([Options.RefundSettleAfter]),
//     and never exceed what was paid;
//   - the names of notifications but payment_intent.succeeded, when they are
//     repeated ([Options.RetryAfter]) and that a repetition is signed with a new
//     time ([Options.KeepTimestamp]);
//   - links of the app flow have the scheme paymux-sandbox-wallet;
//   - /wallet/ and /sandbox/ exist only here.
//
// # Faults
//
// [Server.Inject] makes the sandbox misbehave on purpose: see [Kind]. The same
// switches are reachable over HTTP, with strictly decoded JSON:
//
//	POST   /sandbox/faults    {"kind":"close_after","op":"confirm","times":1}
//	DELETE /sandbox/faults    clear all
//	GET    /sandbox/intents   all payment intents as the API shows them, oldest first
//
// The control API has no password: keep the sandbox on loopback.
//
// # Time
//
// All waiting is package time's, so the sandbox works inside a testing/synctest
// bubble as it is.
package airwallextest
