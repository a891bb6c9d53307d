// Makes the certificate by which this process proves itself to the host. It is
// self-signed and lives as long as the process. Node makes keys and signatures,
// but no X.509; the few forms of DER that one certificate needs are less to read
// and to trust than a library for all of them.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

function der(tag, ...parts) {
  const body = Buffer.concat(parts);
  const n = body.length;
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...parts) => der(0x30, ...parts);
const set = (...parts) => der(0x31, ...parts);
const integer = (bytes) => der(0x02, bytes); // the first bit must be 0: it is the sign
const bitString = (bytes, unused = 0) => der(0x03, Buffer.from([unused]), bytes);
const octets = (...parts) => der(0x04, ...parts);
const oid = (hex) => der(0x06, Buffer.from(hex, 'hex'));
const utf8 = (text) => der(0x0c, Buffer.from(text));
const yes = der(0x01, Buffer.from([0xff]));

// UTCTime, which RFC 5280 wants for years before 2050.
const time = (ms) => der(0x17, Buffer.from(new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '').slice(2)));

const extension = (id, critical, value) => sequence(oid(id), ...(critical ? [yes] : []), octets(value));

const HOUR = 3_600_000;

/** Returns {key, certificate}, both PEM, and the certificate's DER. */
export function selfSigned(name) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const serial = randomBytes(16);
  serial[0] = (serial[0] & 0x7f) | 0x40;
  const issuer = sequence(set(sequence(oid('550403'), utf8(name)))); // commonName
  const algorithm = sequence(oid('2a8648ce3d040302')); // ecdsa-with-SHA256
  const now = Date.now();
  const content = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    integer(serial),
    algorithm,
    issuer,
    sequence(time(now - HOUR), time(now + 10 * 365 * 24 * HOUR)), // the clock may be set back
    issuer, // as the subject
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(
      extension('551d13', true, sequence(yes)), // basicConstraints: CA, since it is its own root
      extension('551d0f', true, bitString(Buffer.from([0x84]), 2)), // keyUsage: digitalSignature, keyCertSign
      extension('551d25', false, sequence(oid('2b06010505070301'))), // extKeyUsage: serverAuth
      extension('551d11', false, sequence(der(0x82, Buffer.from(name)))), // subjectAltName: dNSName
    )),
  );
  const signed = sequence(content, algorithm, bitString(sign('sha256', content, privateKey)));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    certificate: `-----BEGIN CERTIFICATE-----\n${signed.toString('base64').match(/.{1,64}/g).join('\n')}\n-----END CERTIFICATE-----\n`,
    der: signed,
  };
}
