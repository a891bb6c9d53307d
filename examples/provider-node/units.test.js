// What can't be seen through the host. Run by go test, or: node --test
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { open } from './cbtis/plugin.js';
import { fromAcquirer, toAcquirer } from './cbtis/money.js';
import { readPayment } from './cbtis/payment.js';
import { selfSigned } from './plugin/certificate.js';
import { Code } from './plugin/failure.js';
import { send } from './plugin/http.js';
import { readJSON } from './plugin/json.js';
import { redactor, Secret } from './plugin/secret.js';
import { Service } from './plugin/service.js';
import { Tokens } from './plugin/tokens.js';

const never = new AbortController().signal;

test('amounts are exact', () => {
  for (const [ours, theirs] of [['1', '1'], ['1.00', '1'], ['1.5', '1.50'], ['0.07', '0.07'], ['999999999999.99', '999999999999.99']]) {
    assert.equal(toAcquirer(ours), theirs);
  }
  for (const bad of ['', '0', '0.00', '01', '+1', '-1', '1e3', '1.', '.5', '1.001', '1,000', '١', '1000000000000', ' 1', '1\n']) {
    assert.equal(fromAcquirer(bad, 'HKD'), undefined, bad);
  }
  assert.equal(fromAcquirer('1', 'TWD'), undefined);
});

test('numbers in JSON stay the text that they are', () => {
  const value = readJSON(Buffer.from('{"a":1.10,"b":12345678901234567890,"c":"1\\"2","d":[-1e5,null],"3":"4"}'));
  assert.deepEqual(value, { a: '1.10', b: '12345678901234567890', c: '1"2', d: ['-1e5', null], 3: '4' });
  for (const bad of ['', '1', '[]', 'null', '{1:2}', '{"a":01}', '{"a":1}x', '{"a":"\xff"}']) {
    assert.equal(readJSON(Buffer.from(bad, 'latin1')), undefined, bad);
  }
});

test('what is not documented is unknown', () => {
  assert.equal(readPayment({ status: 'toString' }).status, 'STATUS_UNSPECIFIED');
  assert.equal(readPayment({ status: 'CANCELLED', amount: '1.001', currency: 'HKD' }).status, 'STATUS_UNSPECIFIED');
  const paid = readPayment({ status: 'SUCCEEDED', amount: '1', currency: 'TWD' });
  assert.deepEqual([paid.status, paid.order.money], ['STATUS_SUCCEEDED', undefined]); // the host won't believe it
  const payment = readPayment({ status: 'PENDING', create_time: '2023-08-31T04:44:05.928696203+08:00', pay_time: 'soon' });
  assert.deepEqual([payment.status, payment.created_at, payment.paid_at],
    ['STATUS_PENDING', { seconds: 1693428245, nanos: 928696203 }, undefined]);
  for (const [status, paidAt] of [['PENDING', undefined], ['SUCCEEDED', { seconds: 1693428245, nanos: 0 }]]) {
    assert.deepEqual(readPayment({ status, pay_time: '2023-08-31T04:44:05+08:00' }).paid_at, paidAt, status);
  }
});

test('the certificate is what the host wants', () => {
  const made = selfSigned('localhost');
  const certificate = new X509Certificate(made.certificate);
  assert.ok(certificate.ca && certificate.verify(certificate.publicKey) && certificate.checkHost('localhost'));
  assert.ok(Date.parse(certificate.validFrom) < Date.now() && Date.parse(certificate.validTo) > Date.now());
});

test('secrets print nowhere', () => {
  const secret = new Secret('a b/c+d');
  assert.deepEqual([`${secret}`, JSON.stringify({ secret }), inspect({ secret })],
    ['[redacted]', '{"secret":"[redacted]"}', '{ secret: [redacted] }']);
  assert.equal(redactor([secret])('x a b/c+d y a%20b%2Fc%2Bd z'), 'x [redacted] y [redacted] z');
  for (const config of ['{"client_secret":"hush', 'null', '["hush"]', '{"base_url":"https://hush:hush@example.com"}', '{"base_url":"https://example.com","uid":"hush "}']) {
    assert.throws(() => open(Buffer.from(config)), (e) => e.code === Code.INVALID_CONFIG && !e.message.includes('hush'));
  }
});

async function listening(server) {
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return new URL(`http://127.0.0.1:${server.address().port}/path?client_secret=hush`);
}

test('only what had no connection is surely not sent', async () => {
  const gone = http.createServer();
  const nobody = await listening(gone);
  await new Promise((resolve) => { gone.close(resolve); });
  const isFailure = (code, outcome) => (e) => e.code === code && e.outcome === outcome && !e.message.includes('hush');
  await assert.rejects(send('POST', nobody, {}, '{}', never), isFailure(Code.ACQUIRER_UNAVAILABLE, 'OUTCOME_NOT_SENT'));

  const mute = net.createServer((socket) => socket.on('error', () => {}).once('data', () => socket.destroy()));
  await assert.rejects(send('POST', await listening(mute), {}, '{}', never), isFailure(Code.ACQUIRER_UNAVAILABLE, 'OUTCOME_UNSPECIFIED'));
  mute.close();

  const cancelled = new AbortController();
  const slow = net.createServer((socket) => socket.on('error', () => {}).once('data', () => cancelled.abort()));
  await assert.rejects(send('POST', await listening(slow), {}, '{}', cancelled.signal), isFailure(Code.ACQUIRER_TIMEOUT, 'OUTCOME_UNSPECIFIED'));
  slow.close();
});

test('a token is fetched once for many, and once more after 401', async () => {
  let fetched = 0;
  const tokens = new Tokens(async () => ({ value: new Secret(`token ${++fetched}`), expiresAt: Date.now() + 3_600_000 }));
  await Promise.all([tokens.get(), tokens.get(), tokens.get()]);
  assert.equal(fetched, 1);
  const ok = await tokens.with(async (token) => ({ status: token.reveal() === 'token 1' ? 401 : 200 }));
  assert.deepEqual([ok.status, fetched], [200, 2]);
  await assert.rejects(tokens.with(async () => ({ status: 401 })), { code: Code.CREDENTIALS_REFUSED, outcome: 'OUTCOME_NOT_SENT' });
  const failing = new Tokens(async () => { throw new TypeError('hush'); });
  await assert.rejects(failing.get(), (e) => e.code === Code.PLUGIN_PANIC && e.outcome === 'OUTCOME_NOT_SENT' && !e.message.includes('hush'));
});

// call runs a method as gRPC does and returns its answer.
function call(service, name, request) {
  return new Promise((resolve, reject) => {
    service.methods()[name]({ request, on() {}, getPath: () => name }, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

test('a fault of ours is an answer of unknown outcome', async (t) => {
  t.mock.method(process.stderr, 'write', () => true);
  const provider = {
    async create() { throw new TypeError('hush\nhush'); },
    async query() { return { raw_status: 'half \ud83d' }; },
  };
  const service = new Service({ describe: () => ({}), open: () => ({ provider, account: 'a', redact: (text) => text }) });
  const instance = { name: 'one', config_digest: 'd1' };
  assert.equal((await call(service, 'Create', { instance })).error.code, Code.NOT_CONFIGURED);
  await call(service, 'Configure', { instance, config: Buffer.from('{}') });
  const { error } = await call(service, 'Create', { instance });
  assert.deepEqual([error.code, error.outcome, error.message], [Code.PLUGIN_PANIC, 'OUTCOME_UNSPECIFIED', 'a method of the plugin threw a TypeError']);
  assert.equal((await call(service, 'Query', { instance })).payment.raw_status, 'half \ufffd');
  const other = await call(service, 'Query', { instance: { name: 'one', config_digest: 'd2' } });
  assert.deepEqual([other.error.code, other.error.outcome], [Code.NOT_CONFIGURED, 'OUTCOME_NOT_SENT']);
  for (const lacking of ['Cancel', 'Refund', 'QueryRefund']) {
    const { error } = await call(service, lacking, { instance });
    assert.deepEqual([error.code, error.outcome], [Code.UNIMPLEMENTED, 'OUTCOME_NOT_SENT']);
  }
  for (const written of process.stderr.write.mock.calls) assert.ok(!String(written.arguments[0]).includes('hush'));
});
