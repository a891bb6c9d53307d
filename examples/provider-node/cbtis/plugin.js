// What the plugin is, and how an account is opened.
import { readFileSync } from 'node:fs';
import { redactor } from '../plugin/secret.js';
import { readConfig } from './config.js';
import { Provider } from './provider.js';
import { flows, wallets } from './create.js';

const schema = readFileSync(new URL('schema.json', import.meta.url), 'utf8');

const actions = {
  mobile_web: ['redirect'],
  web_qr: ['qr_code', 'redirect'], // the answer isn't published: be ready for both
  store_qr: ['qr_code'],
};

/** Answers Describe. */
export function describe() {
  const rows = Object.keys(wallets).flatMap((method) => Object.keys(flows)
    .map((flow) => ({ method, flow, currency: 'HKD', actions: actions[flow] })));
  return {
    name: 'node',
    version: '1.0.0',
    acquirer: 'CBTIS',
    docs_url: 'https://docs.globalcbtis.com/docs/payments/payment_method/alipayhk/payment_with_h5',
    config_schema: schema,
    capabilities: {
      rows,
      notify_url: 'NOTIFY_URL_MODE_PER_PAYMENT',
      notification_auth: 'NOTIFICATION_AUTH_SHARED_SECRET',
      query_keys: ['QUERY_KEY_ACQUIRER_ORDER', 'QUERY_KEY_MERCHANT_ORDER'],
      not_found_settling: { seconds: 600 },
      // No create_retry: what a repeated merchant_order_id does is not documented.
    },
  };
}

/** Opens an account from its config, the bytes of a JSON object. */
export function open(bytes) {
  const config = readConfig(bytes);
  return {
    provider: new Provider(config),
    account: config.account,
    redact: redactor([config.clientSecret, ...config.webhookKeys]),
  };
}
