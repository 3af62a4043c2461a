// A way to a port inside a place, for a driver that can only dial its own loopback.
import { once } from 'node:events';
import { createServer } from 'node:net';
import * as netns from './netns.mjs';

/** Joins its input and output to a loopback port of the place that it runs in. */
const dial = 'const s = require("node:net").connect(+process.argv[1], "127.0.0.1"); process.stdin.pipe(s).pipe(process.stdout)';

/** Opens a free loopback port here that leads to the same one in a namespace. */
export async function bridge(ns) {
  const server = createServer((here) => {
    const there = netns.start(ns, [process.execPath, '-e', dial, String(port)], { stdio: ['pipe', 'pipe', 'ignore'] });
    here.pipe(there.stdin);
    there.stdout.pipe(here);
    for (const stream of [here, there.stdin, there.stdout]) stream.on('error', () => here.destroy());
    here.on('close', () => there.kill());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  return { port, close: () => server.close() };
}
