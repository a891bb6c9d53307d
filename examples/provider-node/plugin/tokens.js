// Holds an account's token: fetched when one is needed, once for many callers,
// and again a minute before it ends.
import { Code, asFailure, notSent } from './failure.js';

const RENEW_EARLY = 60_000;
const FETCH_TIMEOUT = 15_000;

export class Tokens {
  #fetch;
  #current; // {value: Secret, expiresAt: ms}
  #flight;

  constructor(fetch) {
    this.#fetch = fetch;
  }

  async get() {
    if (this.#current && Date.now() < this.#current.expiresAt - RENEW_EARLY) return this.#current;
    // On its own time: a caller who goes away must not take it from the others.
    this.#flight ??= this.#renew().finally(() => { this.#flight = undefined; });
    return this.#flight;
  }

  async #renew() {
    try {
      this.#current = await this.#fetch(AbortSignal.timeout(FETCH_TIMEOUT));
      return this.#current;
    } catch (error) {
      const { code, message, ...details } = asFailure(error);
      throw notSent(code, message, details); // what needed the token never left
    }
  }

  /** Forgets a token that the acquirer refused. */
  drop(value) {
    if (this.#current?.value === value) this.#current = undefined;
  }

  /**
   * Calls use(token), and once more with a new token after HTTP 401: that says
   * that the request was not applied (RFC 9110, 15.5.2).
   */
  async with(use) {
    for (let attempt = 0; attempt < 2; attempt++) {
      const { value } = await this.get();
      const response = await use(value);
      if (response.status !== 401) return response;
      this.drop(value);
    }
    throw notSent(Code.CREDENTIALS_REFUSED, 'the acquirer refuses a fresh access token (HTTP 401)');
  }
}
