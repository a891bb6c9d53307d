// An account's config. The host has held it against schema.json; checked again is
// what would be dangerous.
import { Code, notSent } from '../plugin/failure.js';
import { isObject } from '../plugin/json.js';
import { Secret } from '../plugin/secret.js';

export function readConfig(bytes) {
  let raw;
  try {
    raw = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw invalid('', 'the config is no JSON'); // JSON.parse's own text quotes it
  }
  if (!isObject(raw)) throw invalid('', 'must be an object');
  const base = URL.canParse(raw.base_url) ? new URL(raw.base_url) : undefined;
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(base?.hostname);
  if (!base || (base.protocol !== 'https:' && !(base.protocol === 'http:' && local))) {
    throw invalid('/base_url', 'must begin with https:// (http:// only for this machine)');
  }
  if (base.username || base.password || base.search || base.hash) {
    throw invalid('/base_url', 'must hold no user, query or fragment');
  }
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(raw.uid)) throw invalid('/uid', 'must be letters, digits, ".", "_" or "-"');
  const keys = Array.isArray(raw.webhook_keys) ? raw.webhook_keys : [];
  if (keys.length === 0) throw invalid('/webhook_keys', 'must hold at least one key');
  return {
    base,
    uid: raw.uid,
    clientSecret: secret('/client_secret', raw.client_secret),
    webhookKeys: keys.map((key, i) => secret(`/webhook_keys/${i}`, key)), // an empty one would let anyone sign
    // As the plugin alipayhk names it, so that payments can go over to that one.
    account: `${base.port ? base.host : base.hostname.replace(/^\[|\]$/g, '')}/${raw.uid}`,
  };
}

function secret(pointer, value) {
  if (typeof value !== 'string' || value === '') throw invalid(pointer, 'must not be empty');
  if (value.trim() !== value) throw invalid(pointer, 'must not begin or end with white space (does the file end with a newline?)');
  return new Secret(value);
}

const invalid = (field, message) => notSent(Code.INVALID_CONFIG, message, { field });
