// Sends a request at most once and knows whether it can have left.
import http from 'node:http';
import https from 'node:https';
import { Code, Failure, notSent } from './failure.js';

const TIMEOUT = 25_000; // the host waits 30 s; our error says more than its own
const MAX_BODY = 1 << 20;

/**
 * Returns {status, body, retryAfter} whatever the status is; redirects aren't
 * followed. Each request has a connection of its own: so none meets one that is
 * just being closed, and "was it sent?" is "was there a connection?".
 */
export async function send(method, url, headers, body, signal) {
  const target = `${method} ${url.host}${url.pathname}`; // never the query: it may hold a secret
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]);
  let connected = false;
  try {
    const response = await new Promise((resolve, reject) => {
      const secure = url.protocol === 'https:';
      const request = (secure ? https : http).request(url, { method, headers, agent: false, signal: limit });
      request.on('socket', (socket) => socket.once(secure ? 'secureConnect' : 'connect', () => { connected = true; }));
      request.on('error', reject).on('response', resolve).end(body);
    });
    return {
      status: response.statusCode,
      body: await read(response),
      retryAfter: seconds(response.headers['retry-after'] ?? ''),
    };
  } catch (error) {
    // Node's text may quote what was sent; its code doesn't.
    const why = limit.aborted ? 'no answer in time' : error.code ?? 'the answer is cut short or too large';
    const code = limit.aborted ? Code.ACQUIRER_TIMEOUT : Code.ACQUIRER_UNAVAILABLE;
    throw connected ? new Failure(code, `${target}: ${why}`) : notSent(code, `${target}: ${why}`);
  }
}

const LONGEST = 99_999; // a day and a bit; who asks for longer is mistaken

/** Reads a Retry-After, which is seconds or a date; 0 is none. */
function seconds(text) {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  const isDate = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text);
  const wait = isDate ? Math.ceil((Date.parse(text) - Date.now()) / 1000) : 0;
  return wait > 0 && wait <= LONGEST ? wait : 0; // also if it is NaN
}

async function read(response) {
  const chunks = [];
  let size = 0;
  for await (const chunk of response) { // throws if the connection ends before the body does
    size += chunk.length;
    if (size > MAX_BODY) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
