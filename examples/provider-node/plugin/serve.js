// The machinery of any plugin: the environment, the handshake, mutual TLS, health
// and the end. docs/plugin-protocol.md says why each line is there.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import { selfSigned } from './certificate.js';
import { log } from './log.js';

const PROTOCOL = 1;
const MAX_MESSAGE = 1 << 20;
const NAME = 'localhost'; // both ends go by it

/** Serves a service to the host that started this process. */
export function serve(service) {
  const env = process.env;
  if (env.PAYMUX_PROVIDER !== 'v1') {
    process.stderr.write('This is a paymux plugin. It is started by a paymux host, not by hand.\n');
    process.exit(1);
  }
  if (!env.PLUGIN_CLIENT_CERT || !env.PLUGIN_UNIX_SOCKET_DIR) {
    process.stderr.write('PLUGIN_CLIENT_CERT or PLUGIN_UNIX_SOCKET_DIR is missing: is this host older than the plugin?\n');
    process.exit(2);
  }
  const own = selfSigned(NAME);
  const server = new grpc.Server({
    'grpc.max_receive_message_length': MAX_MESSAGE,
    'grpc.max_send_message_length': MAX_MESSAGE,
  });
  const protos = load('paymux/provider/v1/provider.proto', 'grpc/health/v1/health.proto', 'plugin/controller.proto');
  server.addService(protos.paymux.provider.v1.ProviderService.service, service.methods());
  server.addService(protos.grpc.health.v1.Health.service, { Check: health });
  server.addService(protos.plugin.GRPCController.service, {
    Shutdown(_call, callback) {
      callback(null, {});
      server.tryShutdown(() => process.exit(0));
    },
  });

  // Only the host that started us has the key of this certificate.
  const credentials = grpc.ServerCredentials.createSsl(
    Buffer.from(env.PLUGIN_CLIENT_CERT), [{ private_key: Buffer.from(own.key), cert_chain: Buffer.from(own.certificate) }], true);
  const socket = path.join(env.PLUGIN_UNIX_SOCKET_DIR, 'plugin.sock');
  server.bindAsync(`unix:${socket}`, credentials, (error) => {
    if (error) {
      log('error', 'no socket', { code: error.code });
      process.exit(2);
    }
    // The base64 is unpadded; the line is the first and last thing on stdout.
    process.stdout.write(`1|${PROTOCOL}|unix|${socket}|grpc|${own.der.toString('base64').replace(/=+$/, '')}\n`);
  });
  endWithHost();
}

function load(...files) {
  const proto = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'proto');
  return grpc.loadPackageDefinition(loader.loadSync(files, {
    includeDirs: [proto], keepCase: true, enums: String, longs: String, defaults: true, oneofs: true,
  }));
}

function health(call, callback) {
  callback(null, { status: ['', 'plugin'].includes(call.request.service) ? 'SERVING' : 'SERVICE_UNKNOWN' });
}

// Where the kernel doesn't kill us with the host, we notice that it is gone.
function endWithHost() {
  const host = process.ppid;
  setInterval(() => process.ppid === host || process.exit(0), 1000).unref();
}
