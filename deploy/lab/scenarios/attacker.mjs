// Somebody with an account tries to use the relay as a way to a box that the router keeps
// from them: a printer with a web page.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { assertRelayed, connect, summary } from '../call.mjs';
import * as netns from '../netns.mjs';
import { hosts, httpsPort, serverFor } from '../plan.mjs';
import { udpPorts } from '../printer.mjs';
import { until } from '../wait.mjs';

const printerFile = fileURLToPath(new URL('../printer.mjs', import.meta.url));
const printerAt = 'a2';
const attackerAt = 'b1';
const target = hosts[printerAt].address;

/** The printer, and all that has reached it. */
class Printer {
  #heard = [];

  async start(topology) {
    this.process = netns.start(topology.ns(printerAt), [process.execPath, printerFile], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: this.process.stdout });
    lines.on('line', (line) => this.#heard.push(JSON.parse(line)));
    await once(lines, 'line');
    this.#heard = [];
    return this;
  }

  /** What came from elsewhere than its own segment, ICE checks aside. */
  get reached() {
    return this.#heard.filter(({ hex }) => !hex || !isCheck(hex));
  }

  get checks() {
    return this.#heard.filter(({ hex }) => hex && isCheck(hex));
  }

  forget() {
    this.#heard = [];
  }

  async stop() {
    const ended = once(this.process, 'exit');
    this.process.kill();
    await ended;
  }
}

/** A STUN Binding message: type 0x0001, 0x0011, 0x0101 or 0x0111, and the magic cookie. */
const isCheck = (hex) => /^0[01][01]1....2112a442/.test(hex);

/** What the page was given to use the relay with. */
const credentials = (page) =>
  page.evaluate(async () => {
    const { iceServers } = await (await fetch('/api/v1/ice')).json();
    return iceServers.find((server) => server.username);
  });

/** Runs coturn's client as the attacker; it is no browser and keeps to no rules. */
async function relayTo(lab, { username, credential }, port, ...flags) {
  const command = ['turnutils_uclient', ...flags, '-u', username, '-w', credential, '-e', target, '-r', String(port), '-n', '3', '-c', serverFor(attackerAt)];
  return netns.runAsync(lab.topology.ns(attackerAt), ['timeout', '-s', 'KILL', '6', ...command]).catch((error) => error.message);
}

/**
 * The relay by every transport, every port, with Send indications and with channels. Each
 * time the attacker signs in anew, since what the tool leaves behind fills a session's quota.
 */
async function tryAll(lab, as) {
  const { page } = await lab.person(attackerAt, as && { as });
  const login = await credentials(page);
  const ways = [...udpPorts.map((port) => [port]), [8080, '-s'], [8080, '-t'], [8080, '-t', '-p', String(httpsPort)], [80, '-T']];
  await Promise.all(ways.map(([port, ...flags]) => relayTo(lab, login, port, ...flags)));
}

/**
 * Runs in the accomplice's page before its own scripts: whenever the page signals a
 * candidate, it signals the printer as well, at each of its ports.
 */
function signalPrinter(address, ports) {
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function forge(frame) {
    const message = typeof frame === 'string' ? JSON.parse(frame) : {};
    if (message.type === 'call.signal' && message.data.payload.candidate?.candidate) {
      ports.forEach((port, i) => {
        const forged = structuredClone(message);
        forged.id = message.id && `${message.id}-${i}`;
        forged.data.payload.candidate.candidate = `candidate:${900 + i} 1 udp 2122260223 ${address} ${port} typ host generation 0`;
        send.call(this, JSON.stringify(forged));
      });
    }
    return send.call(this, frame);
  };
}

export default [
  {
    name: 'attacker',
    about: 'a signed-in attacker reaches no printer through the relay, even if an accomplice signals its address',
    async run(lab) {
      lab.block();
      const printer = await new Printer().start(lab.topology);
      try {
        await netns.runAsync(lab.topology.ns('a1'), [process.execPath, fileURLToPath(new URL('../fetch.mjs', import.meta.url)), '2000', `http://${target}/`]);
        assert.equal(printer.reached.length, 1, 'the printer serves its page to its own segment');
        printer.forget();

        const attacker = await lab.person(attackerAt, { query: '&relay=1' });
        await tryAll(lab, attacker);
        assert.deepEqual(printer.reached, [], 'what a TURN client got through');
        assert.deepEqual(printer.checks, [], 'checks that nobody asked for');

        const script = { content: `(${signalPrinter})(${JSON.stringify(target)}, ${JSON.stringify(udpPorts)})` };
        const call = await connect(attacker, await lab.person('a1', { script }));
        await assertRelayed(call);
        await until('ICE checks at the printer: its address was signalled', () => printer.checks.length, Boolean, 5000);
        await tryAll(lab, attacker);
        assert.deepEqual(printer.reached, [], 'what got through during a call');
        return summary(call);
      } finally {
        await printer.stop();
      }
    },
  },
  {
    name: 'attacker-control',
    about: 'with turn.peers.mode any, the same attack does reach the printer: the test can fail',
    async run(lab) {
      lab.block();
      await lab.configure({ FIELDPHONE_TURN_PEERS_MODE: 'any' });
      const printer = await new Printer().start(lab.topology);
      try {
        await tryAll(lab);
        await until('the printer hears the attacker', () => printer.reached.length, Boolean, 2000);
      } finally {
        await printer.stop();
      }
    },
  },
];
