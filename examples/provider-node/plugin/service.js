// The service: it holds the configured instances and gives every call an answer
// as data, never an error of gRPC.
import { Code, asFailure, notSent } from './failure.js';
import { log } from './log.js';

export class Service {
  #plugin;
  #instances = new Map(); // name → {digest, provider, redact}

  /** A plugin has describe() and open(config) → {provider, account, redact}. */
  constructor(plugin) {
    this.#plugin = plugin;
  }

  methods() {
    return {
      Describe: (_call, callback) => callback(null, this.#plugin.describe()),
      Configure: (call, callback) => callback(null, wellFormed(this.#configure(call.request))),
      Authorize: this.#method('grant', (provider, _request, signal) => provider.authorize(signal)),
      Create: this.#method('payment', (provider, request, signal) => provider.create(request, signal)),
      Query: this.#method('payment', (provider, request, signal) => provider.query(request, signal)),
      ParseNotification: this.#method('notification', (provider, request) => provider.parseNotification(request.request)),
      // What isn't here gRPC would refuse by itself, not as data.
      Cancel: this.#method('payment', lacks('cancel')),
      Refund: this.#method('refund', lacks('refund')),
      QueryRefund: this.#method('refund', lacks('refund')),
    };
  }

  #configure({ instance, config }) {
    try {
      const opened = this.#plugin.open(config);
      this.#instances.set(instance.name, { ...opened, digest: instance.config_digest });
      return { configured: { account: opened.account, refunds: false, cancels: false } };
    } catch (error) {
      report('Configure', error);
      return { error: asFailure(error).toProto() };
    }
  }

  #method(result, run) {
    return async (call, callback) => {
      const { name, config_digest: digest } = call.request.instance ?? {};
      const held = this.#instances.get(name);
      if (held?.digest !== digest || !held) { // never run on a config other than the host's
        callback(null, { error: notSent(Code.NOT_CONFIGURED, 'this process does not hold the instance with this config').toProto() });
        return;
      }
      const cancelled = new AbortController();
      call.on('cancelled', () => cancelled.abort()); // also at the call's deadline
      try {
        callback(null, wellFormed({ [result]: await run(held.provider, call.request, cancelled.signal) }));
      } catch (error) {
        report(call.getPath(), error);
        callback(null, wellFormed({ error: mapTexts(asFailure(error).toProto(), held.redact) }));
      }
    };
  }
}

const lacks = (ability) => () => { throw notSent(Code.UNIMPLEMENTED, `the provider can't ${ability}`); };

// A fault of ours is worth a look: where it was, not its text, which may hold anything.
function report(call, error) {
  if (asFailure(error) !== error) {
    log('error', 'a method threw', { call, stack: String(error?.stack).split('\n').filter((line) => /^ +at /.test(line)).join('\n') });
  }
}

// Half of a surrogate pair, which JSON may hold, is no valid UTF-8: the host
// couldn't read the whole answer.
const wellFormed = (answer) => mapTexts(answer, (text) => text.toWellFormed());

function mapTexts(value, change) {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((member) => mapTexts(member, change));
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, mapTexts(member, change)]));
}
