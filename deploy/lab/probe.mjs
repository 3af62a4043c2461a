// A small UDP prober that runs inside one place: `node probe.mjs ADDRESS...`. It echoes, from
// two ports of each address, where a packet came from, takes TCP connections there and on the
// HTTPS port, and carries out requests: one JSON object a line on stdin, one answer a line
// on stdout.
//
// The first line is {id: "ready"}.
//
//   {id, ask: ["10.77.1.2:7000"], port: 0}  send to each from one socket; who saw us as what
//   {id, dial: ["10.77.1.2:443"]}          connect by TCP to each; whether it was taken
//   {id, listen: "10.77.1.2:7000"}          ask, and keep the socket
//   {id, poke: "10.77.1.20:4711", from: "10.77.1.2:7001", say: "x"}  send once from an echo
//   {id, until: "x"}                        what reached the kept socket unasked, up to an "x"
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { httpsPort } from './plan.mjs';

const echoPorts = [7000, 7001];
const retryMs = 100;
const patienceMs = 900;

const parse = (text) => {
  const [host, port] = text.split(':');
  return { host, port: Number(port) };
};

async function socketOn(port, address) {
  const socket = createSocket('udp4');
  socket.bind(port, address);
  await once(socket, 'listening');
  return socket;
}

const echoes = new Map();
for (const address of process.argv.slice(2)) {
  for (const port of echoPorts) {
    const socket = await socketOn(port, address);
    socket.on('message', (message, from) => {
      if (message.toString().startsWith('ask')) socket.send(`seen ${from.address}:${from.port}`, from.port, from.address);
    });
    socket.on('error', () => {}); // an ICMP refusal of an echo
    echoes.set(`${address}:${port}`, socket);
  }
  for (const port of [echoPorts[0], httpsPort]) {
    const taker = createServer((connection) => connection.end()).listen(port, address);
    await once(taker, 'listening');
  }
}

/** Sends to each target until it answers or patience ends. */
async function ask(socket, targets) {
  const answers = Object.fromEntries(targets.map((target) => [target, null]));
  const missing = () => targets.filter((target) => !answers[target]);
  await new Promise((resolve) => {
    const hear = (message, from) => {
      const target = `${from.address}:${from.port}`;
      if (target in answers) answers[target] = message.toString().replace('seen ', '');
      if (missing().length === 0) finish();
    };
    const send = () => {
      for (const target of missing()) {
        const { host, port } = parse(target);
        socket.send('ask', port, host, () => {}); // unreachable networks are an answer: none
      }
    };
    const timers = [setInterval(send, retryMs), setTimeout(() => finish(), patienceMs)];
    const finish = () => {
      timers.forEach(clearInterval);
      socket.off('message', hear);
      resolve();
    };
    socket.on('message', hear);
    socket.on('error', () => {});
    send();
  });
  return { port: socket.address().port, answers };
}

/** Whether each target takes a TCP connection before patience ends. */
async function dial(targets) {
  const taken = await Promise.all(targets.map((target) => new Promise((resolve) => {
    const connection = connect({ ...parse(target), timeout: patienceMs });
    const finish = (answer) => () => resolve(connection.destroy() && answer);
    connection.on('connect', finish(true)).on('timeout', finish(false)).on('error', finish(false));
  })));
  return { answers: Object.fromEntries(targets.map((target, i) => [target, taken[i]])) };
}

let kept;
const unasked = [];

async function heardUntil(word) {
  const deadline = AbortSignal.timeout(patienceMs);
  while (!unasked.some((entry) => entry.endsWith(` ${word}`))) await once(kept, 'message', { signal: deadline });
  return { unasked };
}

async function carryOut(request) {
  if (request.ask) {
    const socket = await socketOn(request.port ?? 0);
    try {
      return await ask(socket, request.ask);
    } finally {
      socket.close();
    }
  }
  if (request.dial) return dial(request.dial);
  if (request.listen) {
    kept = await socketOn(0);
    const result = await ask(kept, [request.listen]);
    kept.on('message', (message, from) => unasked.push(`${from.address}:${from.port} ${message}`));
    return result;
  }
  if (request.poke) {
    const { host, port } = parse(request.poke);
    await new Promise((resolve) => echoes.get(request.from).send(request.say, port, host, resolve));
    return {};
  }
  if (request.until) return heardUntil(request.until);
  throw new Error(`unknown request ${JSON.stringify(request)}`);
}

console.log(JSON.stringify({ id: 'ready' }));
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  carryOut(request).then(
    (answer) => console.log(JSON.stringify({ id: request.id, ...answer })),
    (error) => console.log(JSON.stringify({ id: request.id, error: error.message })),
  );
}
process.exit(0);
