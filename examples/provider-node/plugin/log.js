// One line of JSON on stderr is one line in the host's log, with its level.
export function log(level, message, fields = {}) {
  process.stderr.write(`${JSON.stringify({ '@level': level, '@message': message, '@timestamp': new Date().toISOString(), ...fields })}\n`);
}
