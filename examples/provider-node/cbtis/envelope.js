// Every answer except the token's is {code, data, message, rid}.
import { Code, Failure } from '../plugin/failure.js';
import { isObject, readJSON, textOf } from '../plugin/json.js';

/**
 * Returns {data, rid} of a good answer. The acquirer publishes no error codes, so
 * that every other answer leaves the outcome unknown. Its message is left out: it
 * could repeat what we sent.
 */
export function readEnvelope(response) {
  const { status, body, retryAfter } = response;
  const envelope = readJSON(body);
  const rid = requestID(envelope?.rid);
  const fail = (code, message, acquirerCode) => {
    throw new Failure(code, message, { requestId: rid, retryAfter, acquirerCode });
  };
  const code = textOf(envelope?.code);
  if (status === 429) fail(Code.ACQUIRER_RATE_LIMITED, 'the acquirer asks to slow down (HTTP 429)');
  if (/^-?\d{1,18}$/.test(code) && code !== '0') fail(Code.ACQUIRER_ERROR, 'the acquirer answered with an error code', code);
  if (status < 200 || status > 299) fail(Code.ACQUIRER_ERROR, `HTTP status ${status} without an error code`);
  if (!envelope) fail(Code.ACQUIRER_ANSWER_INVALID, "the answer can't be read");
  if (code !== '0') fail(Code.ACQUIRER_ANSWER_INVALID, 'the answer has no code');
  if (!isObject(envelope.data)) fail(Code.ACQUIRER_ANSWER_INVALID, 'the answer says ok but has no data');
  return { data: envelope.data, rid };
}

/** Keeps only what looks like an id. */
export const requestID = (value) => (/^[A-Za-z0-9_-]{1,64}$/.test(textOf(value)) ? value : '');
