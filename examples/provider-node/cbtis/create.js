import { Code, notSent } from '../plugin/failure.js';
import { isObject, textOf } from '../plugin/json.js';
import { isAmount, toAcquirer } from './money.js';
import { clip, readPayment } from './payment.js';

export const createPath = 'mch-api/v1/pa/payment_intents/create';

/** The acquirer's words for ours. */
export const wallets = { alipay_hk: 'ALIPAYHK', alipay_cn: 'ALIPAYCN' };
export const flows = { mobile_web: 'mobile_web', web_qr: 'web_qrcode', store_qr: 'csb_qrcode' };

const orderID = /^[A-Za-z0-9_-]{1,32}$/;

export function buildCreate(request) {
  const { order } = request;
  if (!Object.hasOwn(wallets, request.method)) throw unfit(Code.UNSUPPORTED, 'method', 'is not taken');
  if (!Object.hasOwn(flows, request.flow)) throw unfit(Code.UNSUPPORTED, 'flow', 'is not taken');
  if (!isAmount(order?.money)) throw unfit(Code.UNSUPPORTED, 'amount', 'must be an amount of HKD');
  if (!orderID.test(order.merchant_order_id)) throw unfit(Code.INVALID_REQUEST, 'merchant_order_id', 'must match [A-Za-z0-9_-]{1,32}');
  if (!request.description) throw unfit(Code.INVALID_REQUEST, 'description', 'must not be empty: the acquirer requires it');
  return {
    amount: toAcquirer(order.money.amount),
    currency: order.money.currency,
    merchant_order_id: order.merchant_order_id,
    payment_method: { type: 'alipayhk', alipayhk: { flow: flows[request.flow], payment_method: wallets[request.method] } },
    description: request.description,
    ...(request.notify_url && { notify_url: request.notify_url }),
    ...(request.return_url && { return_url: request.return_url }),
  };
}

export function readCreate(data) {
  const payment = readPayment(data);
  if (payment.status !== 'STATUS_PENDING') return payment;
  const next = readNextAction(data.next_action);
  return next.action ? { ...payment, next_actions: [next.action] } : { ...payment, status_reason: next.reason };
}

// The link has one of three names: the acquirer's pages differ. Nothing is
// invented: a payer who is sent to the wrong place is worse off than one who is
// told to try again.
function readNextAction(next) {
  if (!isObject(next)) return { reason: 'the acquirer gave no next action' };
  const link = textOf(next.url) || textOf(next.qrcode_url) || textOf(next.redirect_url);
  switch (next.type) {
    case 'redirect':
      return isWebLink(link) ? { action: { type: 'redirect', url: link } } : { reason: "the acquirer's next action has no usable link" };
    case 'render_qrcode': {
      const fits = link !== '' && Buffer.byteLength(link) <= 2953 && !/\p{Cc}/u.test(link); // no QR code holds more
      if (!fits) return { reason: "the acquirer's next action has no text that fits a QR code" };
      return { action: { type: 'qr_code', qr_code: link, ...(isWebLink(link) && { url: link }) } };
    }
    default:
      return { reason: `the acquirer's next action "${clip(textOf(next.type))}" is not known` };
  }
}

const isWebLink = (link) => link.length <= 8192 && /^https?:\/\//.test(link) && URL.canParse(link);

const unfit = (code, field, message) => notSent(code, `${field} ${message}`, { field });
