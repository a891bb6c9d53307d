// One account: requests are built and answers are read by pure functions; here is
// the network between them.
import { Code } from '../plugin/failure.js';
import { send } from '../plugin/http.js';
import { Tokens } from '../plugin/tokens.js';
import { fetchToken } from './auth.js';
import { buildCreate, createPath, readCreate } from './create.js';
import { readEnvelope } from './envelope.js';
import { readNotification } from './notification.js';
import { readPayment } from './payment.js';

const queryPath = 'mch-api/v1/pa/payment_intents/query';

export class Provider {
  #config;
  #tokens;

  constructor(config) {
    this.#config = config;
    this.#tokens = new Tokens((signal) => fetchToken(config, signal));
  }

  /** Proves the credentials by a token, which stays here. */
  async authorize() {
    const token = await this.#tokens.get();
    return { expires_at: { seconds: Math.floor(token.expiresAt / 1000) } };
  }

  create(request, signal) {
    return this.#exchange(createPath, buildCreate(request), readCreate, signal);
  }

  /** Asks by one id only, since which of two would win is not documented. */
  query({ order }, signal) {
    const body = order.acquirer_order_id ? { order_id: order.acquirer_order_id } : { merchant_order_id: order.merchant_order_id };
    return this.#exchange(queryPath, body, readPayment, signal);
  }

  parseNotification(request) {
    return readNotification(this.#config, request);
  }

  async #exchange(path, body, read, signal) {
    const url = new URL(`${this.#config.base.href.replace(/\/$/, '')}/${path}`);
    let used;
    const response = await this.#tokens.with((token) => {
      used = token;
      const headers = { accept: 'application/json', 'content-type': 'application/json', authorization: `Bearer ${token.reveal()}` };
      return send('POST', url, headers, JSON.stringify(body), signal);
    });
    try {
      const { data, rid } = readEnvelope(response);
      return { ...read(data), request_id: rid };
    } catch (error) {
      // A code may be the way to refuse a token, which isn't documented. Nothing is
      // sent again for it, but the next call gets a new one.
      if (error.code === Code.ACQUIRER_ERROR) this.#tokens.drop(used);
      throw error;
    }
  }
}
