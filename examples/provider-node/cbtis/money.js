// Amounts stay text and whole numbers of cents: no float ever holds one.

const amount = /^(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,2}))?$/; // HKD has two decimals

/** Returns the cents of an amount of HKD, or undefined if it is none. */
function cents(text) {
  const [, whole, fraction = ''] = amount.exec(text) ?? [];
  return whole === undefined ? undefined : BigInt(whole + fraction.padEnd(2, '0'));
}

/** Writes an amount as the acquirer's samples do: "1", or "1.50". */
export function toAcquirer(text) {
  const n = cents(text);
  const fraction = n % 100n;
  return fraction === 0n ? `${n / 100n}` : `${n / 100n}.${`${fraction}`.padStart(2, '0')}`;
}

/** Returns the acquirer's amount as Money, or undefined if it can't be read. */
export function fromAcquirer(text, currency) {
  return currency === 'HKD' && cents(text) > 0n ? { amount: text, currency } : undefined;
}

export const isAmount = (money) => money?.currency === 'HKD' && cents(money.amount) > 0n;
