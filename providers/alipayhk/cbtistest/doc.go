// Package cbtistest is a stateful, in-process sandbox of the CBTIS acquirer, in
// the spirit of net/http/httptest: a test (or the examples/sandbox command)
// starts it, points a client at it, pays on its wallet page, and receives its
// signed notifications. No money exists anywhere in it.
//
//	srv := cbtistest.Start(t, cbtistest.Options{})
//	// … a client creates a payment at srv.URL …
//	srv.Pay("P9297895081903")
//
// # What CBTIS documents
//
// The paths, the request and answer fields and their order, the un-enveloped
// answer of /auth, the 3600 s token, the {code, data, message, rid} envelope,
// HKD only, the limit of 32 characters on ids, the wallets ALIPAYHK and
// ALIPAYCN, the flows mobile_web, web_qrcode and csb_qrcode, the options under
// payment_method.alipayhk, the statuses PENDING, SUCCEEDED and CANCELLED, unique
// refund ids, the shapes of payment_success and refund_success, the signature
// HEX(SHA256(body + "." + key)), the rule "exactly HTTP 200 within 5 s", and the
// retries after 15, 30, 60, 300, 600, 1800, 3600, 7200 and 14400 s. These are
// enforced; where an option touches one of them, the default is the documented way.
//
// # What is the sandbox's own invention
//
// The public pages leave much open. None of the following is evidence about the
// real service; each is a choice made here, and an option where a client might
// depend on it:
//
//   - all error codes (see [Codes]), their HTTP status ([Options.RefusalStatus],
//     [Options.AuthFailureStatus]) and "data": null beside them;
//   - a new token leaves older ones valid ([Options.SingleToken]);
//   - a repeated merchant_order_id is refused ([Options.DuplicateOrder]);
//   - unknown request members, duplicate members and a body that is not
//     application/json are refused ([Options.AllowUnknownFields] permits the
//     first), so that a misspelt field is found here;
//   - options under payment_method.wechat, as in the documentation's faulty
//     sample, are refused ([Options.AcceptWechatKey]);
//   - amounts are major units with at most two decimals ([Options.AmountUnit]);
//   - unpaid orders become CANCELLED after 24 h ([Options.OrderTimeout]);
//   - notify_url and return_url must be absolute http or https URLs; return_url
//     may be held to a domain ([Options.ReturnDomains]) and gets nothing appended;
//   - pay_time is absent while unpaid ([Options.UnpaidPayTime]);
//   - a query whose two ids name different orders is refused; a merchant order
//     id that was used twice means the newest order;
//   - next_action of web_qrcode is that of csb_qrcode; the key of the link is
//     "url" ([Options.LinkKey]);
//   - refunds may be partial and several, succeed at once ([Options.RefundOutcome]),
//     and never exceed what was paid; they don't change the payment's status;
//     the answer of refunds/query; refund notices go to the notify_url of the
//     payment, and their order_amount is the refund's amount;
//   - notifications are POSTed as application/json, redirects aren't followed,
//     and each retry interval starts with the previous attempt;
//   - cancelling or expiry sends no notification, since no such type is known;
//   - /wallet/ and /sandbox/ exist only here.
//
// # Faults
//
// [Server.Inject] makes the sandbox misbehave on purpose: see [Kind]. The same
// switches are reachable over HTTP, with strictly decoded JSON:
//
//	POST   /sandbox/faults        {"kind":"close_after","op":"create","times":1}
//	GET    /sandbox/faults        the active faults
//	DELETE /sandbox/faults        clear all; /sandbox/faults/{id} clears one
//	GET    /sandbox/orders        all orders, oldest first; ?merchant_order_id=… those under one id
//	GET    /sandbox/orders/{id}          id is an order id or a merchant order id
//	POST   /sandbox/orders/{id}/pay
//	POST   /sandbox/orders/{id}/cancel
//	POST   /sandbox/orders/{id}/status   {"status":"EXPIRED"}
//	POST   /sandbox/refunds/{id}/status  {"status":"FAILED"}, id is the merchant's
//	POST   /sandbox/sign          the headers of a notification with that body; ?key=… by another key
//	PUT    /sandbox/webhook_key   {"key":"…"} to sign with from now on
//	GET    /sandbox/notifications        attempts made
//	GET    /sandbox/requests             API calls received
//
// The control API has no password: keep the sandbox on loopback.
//
// # Time
//
// All waiting is package time's, so the sandbox works inside a testing/synctest
// bubble as it is.
package cbtistest
