import { inspect } from 'node:util';

/** A text that shows nowhere unless it is asked for. */
export class Secret {
  #value;

  constructor(value) {
    this.#value = value;
  }

  reveal() {
    return this.#value;
  }

  toString() {
    return '[redacted]';
  }

  toJSON() {
    return '[redacted]';
  }

  [inspect.custom]() {
    return '[redacted]';
  }
}

/** Returns a function that takes secrets out of texts, plain or as in a URL. */
export function redactor(secrets) {
  const forms = secrets.flatMap((s) => [s.reveal(), encodeURIComponent(s.reveal())])
    .filter((s) => s.length >= 4) // shorter ones would garble ordinary words
    .sort((a, b) => b.length - a.length);
  return (text) => forms.reduce((t, s) => t.replaceAll(s, '[redacted]'), text);
}
