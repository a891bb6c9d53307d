// What the acquirer says of a payment, in Create and in Query.
import { textOf } from '../plugin/json.js';
import { fromAcquirer } from './money.js';

/** All statuses that are documented. Any other one is unknown. */
const statuses = { PENDING: 'STATUS_PENDING', SUCCEEDED: 'STATUS_SUCCEEDED', CANCELLED: 'STATUS_CANCELLED' };

/**
 * Reports the acquirer's own words: ids and amount are never copied from the
 * request, since the host compares them with it. What can't be read is left out.
 */
export function readPayment(data) {
  const raw = textOf(data.status);
  const payment = {
    order: {
      merchant_order_id: textOf(data.merchant_order_id),
      acquirer_order_id: textOf(data.order_id),
      money: fromAcquirer(textOf(data.amount), textOf(data.currency)),
    },
    status: Object.hasOwn(statuses, raw) ? statuses[raw] : 'STATUS_UNSPECIFIED',
    raw_status: clip(raw),
    created_at: readTime(textOf(data.create_time)),
    paid_at: raw === 'SUCCEEDED' ? readTime(textOf(data.pay_time)) : undefined, // what stands there before is not documented
  };
  const said = data.amount !== undefined || data.currency !== undefined;
  if (said && !payment.order.money) {
    // Paid, but what? The host has a person look at it. Other ends aren't believed.
    if (payment.status !== 'STATUS_SUCCEEDED') payment.status = 'STATUS_UNSPECIFIED';
    payment.status_reason = `amount "${clip(textOf(data.amount))}" with currency "${clip(textOf(data.currency))}" can't be read`;
  } else if (payment.status === 'STATUS_UNSPECIFIED') {
    payment.status_reason = raw ? `the acquirer's status "${clip(raw)}" is not documented` : 'the acquirer names no status';
  }
  return payment;
}

// RFC 3339, with up to nine decimals of a second or none. No time ever decides
// about a payment.
function readTime(text) {
  const [, fraction = ''] = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(?:Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  const ms = Date.parse(text.replace(/\.\d+/, ''));
  return Number.isNaN(ms) ? undefined : { seconds: ms / 1000, nanos: Number(fraction.padEnd(9, '0')) };
}

/** Keeps the acquirer's words from flooding a reason. */
export const clip = (text) => (text.length > 64 ? `${text.slice(0, 64)}…` : text);
