const literal = /("(?:[^"\\]|\\.)*")|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Reads a JSON object in which numbers become the text that they are written as:
 * no amount and no id goes through a float. What is no object is undefined.
 */
export function readJSON(bytes) {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    JSON.parse(text); // is it JSON at all?
    const value = JSON.parse(text.replace(literal, (all, string) => string ?? `"${all}"`));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

/** Returns a text, and '' for whatever else. */
export const textOf = (value) => (typeof value === 'string' ? value : '');
