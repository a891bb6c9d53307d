// Drives the sandbox at SANDBOX_URL with the acquirer's own client and prints
// what the client made of the answers, as one JSON object.
'use strict';
const { Airwallex } = require('@airwallex/node-sdk');
const { apiClient } = require('@airwallex/node-sdk/dist/client/apiClient');

function open(apiKey) {
  const airwallex = new Airwallex({
    clientId: process.env.SANDBOX_CLIENT_ID, apiKey, env: 'demo', enableTelemetry: false, retry: 0, timeout: 10000,
  });
  apiClient.getClient().client.defaults.baseURL = process.env.SANDBOX_URL;
  apiClient.getClient().client.defaults.proxy = false;
  return airwallex;
}

async function failure(promise) {
  try {
    await promise;
  } catch (e) {
    return { name: e.constructor.name, status: e.status, code: e.data && e.data.code };
  }
  return { name: 'none' };
}

async function main() {
  const out = {};
  const airwallex = open(process.env.SANDBOX_API_KEY);
  const intents = airwallex.paymentAcceptance.paymentIntents;
  const refunds = airwallex.paymentAcceptance.refunds;
  const confirm = (id, type, options, key) => intents.confirmPaymentIntent(id, { request_id: key, payment_method: { type, [type]: options } });

  out.created = await intents.createPaymentIntent({
    request_id: 'req_NODE-1-create', amount: 16.66, currency: 'HKD', merchant_order_id: 'NODE-1', return_url: 'https://shop.example/done', descriptor: 'Tea',
  });
  out.confirmed = await confirm(out.created.id, 'alipayhk', { flow: 'mobile_web', os_type: 'android' }, 'req_NODE-1-confirm');
  await airwallex.simulation.paymentAcceptance.simulateShopperAction('pay', { url: out.confirmed.next_action.url });
  out.paid = await intents.retrievePaymentIntent(out.created.id);
  out.list = await intents.listPaymentIntents({ merchant_order_id: 'NODE-1' });
  out.none = await intents.listPaymentIntents({ merchant_order_id: 'NODE-9' });

  out.refund = await refunds.createRefund({
    request_id: 'req_R1', payment_intent_id: out.created.id, amount: 6.6, reason: 'returned', metadata: { merchant_refund_id: 'R1' },
  });
  out.refundAgain = await refunds.retrieveRefund(out.refund.id);
  out.refundList = await refunds.listRefunds({ payment_intent_id: out.created.id });

  const cn = await intents.createPaymentIntent({ request_id: 'req_NODE-2-create', amount: 1, currency: 'CNY', merchant_order_id: 'NODE-2' });
  out.qr = await confirm(cn.id, 'alipaycn', { flow: 'qrcode' }, 'req_NODE-2-confirm');
  out.cancelled = await intents.cancelPaymentIntent(cn.id, { request_id: 'req_NODE-2-cancel' });

  const app = await intents.createPaymentIntent({ request_id: 'k7', amount: 2, currency: 'HKD', merchant_order_id: 'NODE-3' });
  out.app = await confirm(app.id, 'alipayhk', { flow: 'mobile_app', os_type: 'android' }, 'k8');
  await airwallex.simulation.paymentAcceptance.simulateShopperAction('reject', { url: out.app.next_action.fallback_url });
  out.rejected = await intents.retrievePaymentIntent(app.id);

  out.notFound = await failure(intents.retrievePaymentIntent('int_unheard_of'));
  out.invalid = await failure(intents.createPaymentIntent({ request_id: 'k9', amount: 1.005, currency: 'HKD', merchant_order_id: 'NODE-4' }));
  out.closed = await failure(confirm(cn.id, 'alipaycn', { flow: 'qrcode' }, 'k10'));

  out.credentials = await failure(open('wrong').login());
  process.stdout.write(JSON.stringify(out));
  process.exit(0); // the client keeps a timer for its token
}

main().catch((e) => {
  process.stderr.write(`${e.stack || e}\n`);
  process.exit(1);
});
