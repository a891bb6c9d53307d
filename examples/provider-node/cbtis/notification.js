import { createHash, timingSafeEqual } from 'node:crypto';
import { Code, notSent } from '../plugin/failure.js';
import { isObject, readJSON, textOf } from '../plugin/json.js';
import { clip } from './payment.js';

/**
 * Verifies and reads a notification: no network, no clock. Whatever is rightly
 * signed is answered with 200, readable or not: the acquirer would send the same
 * bytes nine times more, and the host asks by itself anyway.
 */
export function readNotification(config, request) {
  const signature = request.headers.find((h) => h.name === 'Signature')?.values[0] ?? '';
  if (!isSigned(config.webhookKeys, request.body, signature)) {
    throw notSent(Code.SIGNATURE_INVALID, 'the Signature header is not made with any of webhook_keys');
  }
  return { events: [readEvent(config, request.body)], ack: { status: 200 } };
}

// SHA-256 over the raw body, a dot and the key, in lower-case hex. (It is not an
// HMAC.) All keys are tried, so that the time tells nothing.
function isSigned(keys, body, signature) {
  const given = Buffer.from(signature);
  let signed = false;
  for (const key of keys) {
    const want = Buffer.from(createHash('sha256').update(body).update(`.${key.reveal()}`).digest('hex'));
    signed = (given.length === want.length && timingSafeEqual(given, want)) || signed;
  }
  return signed;
}

function readEvent(config, body) {
  const notice = readJSON(body);
  const type = textOf(notice?.notify_type);
  if (!type) return { kind: 'EVENT_KIND_UNSPECIFIED', raw_type: 'unreadable' };
  const data = isObject(notice.data) ? notice.data : {};
  const uid = textOf(data.uid);
  if (uid && uid !== config.uid) { // another account with the same key: its ids say nothing about ours
    return { kind: 'EVENT_KIND_UNSPECIFIED', raw_type: clip(type) };
  }
  const ids = {
    merchant_order_id: textOf(data.merchant_order_id),
    acquirer_order_id: textOf(data.order_id),
    merchant_refund_id: textOf(data.merchant_refund_id),
    acquirer_refund_id: textOf(data.refund_id),
  };
  const payment = type === 'payment_success' && (ids.merchant_order_id || ids.acquirer_order_id);
  return { kind: payment ? 'EVENT_KIND_PAYMENT' : 'EVENT_KIND_UNSPECIFIED', raw_type: clip(type), ...ids };
}
