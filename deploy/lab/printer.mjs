// A box of the LAN that nobody should reach through the relay: `node printer.mjs` serves a
// page over HTTP and listens on the UDP ports that such boxes have. One JSON line for each
// thing that reaches it: {"http": "GET /"} or {"port": 9100, "hex": "0001..."}. The first
// line is {"ready": true}.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';

export const udpPorts = [80, 161, 5353, 8080, 9100];

const say = (what) => console.log(JSON.stringify(what));

async function serve() {
  for (const port of [80, 8080]) {
    const server = createServer((request, response) => {
      say({ http: `${request.method} ${request.url}`, from: request.socket.remoteAddress });
      response.end('ink: 3 %\n');
    });
    await once(server.listen(port, '0.0.0.0'), 'listening');
  }
  for (const port of udpPorts) {
    const socket = createSocket('udp4').bind(port);
    await once(socket, 'listening');
    socket.on('message', (message, from) => say({ port, hex: message.toString('hex'), from: from.address }));
  }
  say({ ready: true });
}

if (import.meta.main ?? process.argv[1] === import.meta.filename) await serve();
