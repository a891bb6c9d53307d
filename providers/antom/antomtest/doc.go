// Package antomtest is a stateful, in-process sandbox of the acquirer Antom, in
// the spirit of net/http/httptest: a test starts it, points a client at it, pays
// on its wallet page, and receives its signed notifications. No money exists
// anywhere in it.
//
//	srv := antomtest.Start(t, antomtest.Options{})
//	// … a client with srv.Credentials() creates a payment at srv.URL …
//	srv.Pay("P9297895081903")
//
// # What Antom documents
//
// The paths, for the acquirer's own sandbox too; the headers, the string that is
// signed and RSA-SHA256 in both directions; that every scalar is a string and
// amounts are minor units; the members of pay and of the notification; which
// URL comes for which wallet and terminal; the order code of a payment in a
// store; the statuses; that the same id has the same result; that cancel works
// after payment too, until 00:15 of the next day (GMT+8), gives everything back
// and is final; partial refunds within 365 days; the acknowledgement's body; and
// the eight attempts to deliver a notification, of which SANDBOX_ clients get
// the first only.
//
// # What is this package's own invention
//
// None of the following is evidence about the real service:
//
//   - all result codes but SUCCESS and PAYMENT_IN_PROCESS (see [Codes]), and
//     HTTP 200 beside them;
//   - unknown request members and scalars that are no strings are refused, so
//     that a misspelt field is found here;
//   - unpaid orders become FAIL after 14 minutes ([Options.OrderTimeout]), and a
//     payer who cancels on the wallet page leaves CANCELLED;
//   - the answers of cancel, refund and inquiryRefund beyond their ids and
//     statuses; S of refund while it is still PROCESSING;
//   - each attempt of a notification has its own Request-Time
//     ([Options.FirstRequestTime]), in milliseconds ([Options.ISOTime]);
//   - the interval to the next attempt starts with the attempt before;
//   - /wallet/ exists only here.
//
// # Faults
//
// [Server.Inject] makes the sandbox misbehave on purpose: see [Kind].
//
// # Time
//
// All waiting is package time's, so the sandbox works inside a testing/synctest
// bubble as it is.
package antomtest
