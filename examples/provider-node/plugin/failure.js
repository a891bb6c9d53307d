// Errors are data: every failure says whether there may be an effect.

/** The codes that this plugin uses, from docs/errors.md. */
export const Code = {
  INVALID_REQUEST: 100,
  UNSUPPORTED: 107,
  SIGNATURE_INVALID: 112,
  ACQUIRER_UNAVAILABLE: 202,
  ACQUIRER_TIMEOUT: 203,
  ACQUIRER_RATE_LIMITED: 204,
  ACQUIRER_ERROR: 205,
  ACQUIRER_ANSWER_INVALID: 206,
  CREDENTIALS_REFUSED: 300,
  PLUGIN_PANIC: 304,
  NOT_CONFIGURED: 305,
  INVALID_CONFIG: 306,
  UNIMPLEMENTED: 307,
};

/** An answer in place of a result. Its outcome is unknown unless said otherwise. */
export class Failure extends Error {
  constructor(code, message, details = {}) {
    super(message);
    Object.assign(this, { code, outcome: 'OUTCOME_UNSPECIFIED', ...details });
  }

  toProto() {
    return {
      code: this.code,
      outcome: this.outcome,
      message: this.message,
      field: this.field,
      acquirer_code: this.acquirerCode,
      acquirer_request_id: this.requestId,
      retry_after: this.retryAfter > 0 ? { seconds: this.retryAfter } : undefined,
    };
  }
}

/** A failure that surely had no effect. */
export function notSent(code, message, details = {}) {
  return new Failure(code, message, { ...details, outcome: 'OUTCOME_NOT_SENT' });
}

/** What a fault in our own code is to the host. Its text may hold anything, so it stays here. */
export function asFailure(error) {
  if (error instanceof Failure) return error;
  return new Failure(Code.PLUGIN_PANIC, `a method of the plugin threw a ${error?.constructor?.name}`);
}
