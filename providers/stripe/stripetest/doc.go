// Package stripetest is a stateful, in-process sandbox of the acquirer Stripe for
// Alipay payments, in the spirit of net/http/httptest: a test starts it, points a
// client at it, pays on its wallet page, and receives its signed notifications.
// No money exists anywhere in it.
//
//	srv := stripetest.Start(t, stripetest.Options{})
//	// … a client creates a payment at srv.URL …
//	srv.Pay("P1")
//
// # What Stripe documents
//
// The paths, the form encoding of requests, bearer keys, integer amounts in minor
// units of at most eight digits, lower-case currencies, the currencies in which
// Alipay is presented, the members of PaymentIntent, Refund, Event and error, all
// statuses, the next action alipay_handle_redirect, unknown parameters as errors,
// Idempotency-Key (at most 255 characters, kept for 24 h, replays status and body,
// 500 included; other parameters are an error; what wasn't executed isn't kept),
// refunds in parts up to what was paid and within 90 days, an index for searching
// that lags, the signature of notifications, and any 2xx as their receipt.
// Payment methods other than alipay don't exist here.
//
// # What is the sandbox's own invention
//
// None of the following is evidence about the real service:
//
//   - codes of errors beyond their type, except those of the published list;
//   - return_url is required, and gets nothing appended;
//   - a search ignores case; so a client that doesn't compare is found out;
//   - the wallet's "cancel" fails the attempt: requires_payment_method with
//     last_payment_error, and payment_intent.payment_failed;
//   - of payment_method_options, capture_method and the like nothing is known;
//   - unpaid payments stay open for ever;
//   - refunds are pending first, and end after [Options.RefundAfter];
//   - the intervals between the three attempts of a notification;
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
package stripetest
