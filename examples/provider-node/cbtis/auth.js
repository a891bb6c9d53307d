import { Code, notSent } from '../plugin/failure.js';
import { send } from '../plugin/http.js';
import { readJSON, textOf } from '../plugin/json.js';
import { Secret } from '../plugin/secret.js';

const HOUR = 3600; // the documented lifetime
const LONGEST = 24 * HOUR; // more is taken for a mistake

/** Asks for a token. The acquirer wants the secret in the URL. */
export async function fetchToken(config, signal) {
  const url = new URL(`${config.base.href.replace(/\/$/, '')}/mch-api/v1/auth`);
  url.search = new URLSearchParams({
    grant_type: 'client_credentials', uid: config.uid, client_secret: config.clientSecret.reveal(),
  }).toString();
  return readToken(await send('GET', url, { accept: 'application/json' }, undefined, signal));
}

// How refused credentials look is not documented, beyond what HTTP says.
function readToken({ status, body, retryAfter }) {
  if (status === 401 || status === 403) {
    throw notSent(Code.CREDENTIALS_REFUSED, `the acquirer refuses uid and client_secret (HTTP ${status})`);
  }
  if (status === 429) throw notSent(Code.ACQUIRER_RATE_LIMITED, 'the acquirer asks to slow down at authentication', { retryAfter });
  if (status < 200 || status > 299) throw notSent(Code.ACQUIRER_ERROR, `HTTP status ${status} at authentication`, { retryAfter });
  const answer = readJSON(body);
  const token = textOf(answer?.access_token);
  if (!/^[!-~]{1,4096}$/.test(token)) {
    throw notSent(Code.ACQUIRER_ANSWER_INVALID, 'the answer to authentication holds no access token; are uid and client_secret right?');
  }
  const text = textOf(answer.expires_in);
  const seconds = /^[1-9]\d{0,8}$/.test(text) ? Math.min(Number(text), LONGEST) : HOUR;
  return { value: new Secret(token), expiresAt: Date.now() + seconds * 1000 };
}
