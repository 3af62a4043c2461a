// Proves that the network is what plan.mjs says, before any browser is started: who reaches
// whom, what each NAT does to ports, and that isolation holds.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import assert from 'node:assert/strict';
import * as netns from './netns.mjs';
import { hosts, hotspots, httpsPort, segmentOf, segments, serverAddresses } from './plan.mjs';

const probeFile = fileURLToPath(new URL('probe.mjs', import.meta.url));
const echo = (address) => `${address}:7000`;
const portOf = (endpoint) => Number(endpoint.split(':')[1]);

/** A probe.mjs that runs in one place. */
class Probe {
  #waiting = new Map();
  #next = 1;

  constructor(topology, place, addresses) {
    const command = [process.execPath, probeFile, ...addresses];
    this.process = netns.start(topology.ns(place), command, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      const { id, error, ...answer } = JSON.parse(line);
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) reject(new Error(`probe in ${place}: ${error}`));
      else resolve(answer);
    });
    this.process.on('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`probe in ${place} ended with ${code}`));
    });
    this.ready = this.#answer('ready');
  }

  request(fields) {
    const id = this.#next++;
    this.process.stdin.write(`${JSON.stringify({ id, ...fields })}\n`);
    return this.#answer(id);
  }

  #answer(id) {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  async close() {
    const ended = once(this.process, 'exit');
    this.process.stdin.end();
    await ended;
  }
}

const targets = {
  a1: hosts.a1.address,
  a2: hosts.a2.address,
  b1: hosts.b1.address,
  srvA: segments.A.server,
  srvB: segments.B.server,
};

/** Who gets an answer from whom. What stays on one wire never passes the router. */
function expected(from, to, direct) {
  const here = segmentOf(from);
  if (segments[here].locked) return false;
  if (to.startsWith('srv') || direct) return true;
  return here === segmentOf(to);
}

async function matrix(probes, direct) {
  const wrong = [];
  await Promise.all(Object.keys(hosts).map(async (from) => {
    const names = Object.keys(targets).filter((to) => to !== from);
    const { answers } = await probes[from].request({ ask: names.map((to) => echo(targets[to])) });
    for (const to of names) {
      const got = answers[echo(targets[to])] !== null;
      if (got !== expected(from, to, direct)) wrong.push(`${from} -> ${to}: ${got ? 'answered' : 'no answer'}`);
    }
  }));
  assert.deepEqual(wrong, []);
}

async function hidden(probes) {
  const phone = echo(hosts.q1.address);
  const outer = Object.values(hotspots).map((h) => echo(h.address));
  for (const from of ['a1', 'b1']) {
    const { answers } = await probes[from].request({ ask: [phone, ...outer] });
    assert.deepEqual(Object.values(answers), [null, null, null], `${from} reaches into a hotspot`);
  }
}

async function symmetric(probes) {
  const to = [...serverAddresses.map(echo), `${segments.A.server}:7001`];
  const { port, answers } = await probes.p1.request({ ask: to });
  const ports = Object.values(answers).map(portOf);
  assert.equal(new Set([port, ...ports]).size, to.length + 1, `ports ${port} -> ${ports} are not all different`);
}

async function preserving(probes) {
  const to = [...serverAddresses.map(echo), `${segments.A.server}:7001`];
  const { port, answers } = await probes.q1.request({ ask: to });
  assert.deepEqual(Object.values(answers), to.map(() => `${hotspots.iso.address}:${port}`));
}

/** The filter is per address and port: only who was asked may answer. */
async function filtering(probes) {
  const server = echo(segments.A.server);
  const { answers } = await probes.q1.request({ listen: server });
  await probes.srv.request({ poke: answers[server], from: `${segments.A.server}:7001`, say: 'stranger' });
  await probes.srv.request({ poke: answers[server], from: server, say: 'known' });
  const { unasked } = await probes.q1.request({ until: 'known' });
  assert.deepEqual(unasked, [`${server} known`]);
}

/** A packet that comes too early must not spoil the port it knocks at. */
async function punching(probes) {
  const { port } = await probes.q1.request({ ask: [echo(segments.A.server)] });
  const peer = echo(hosts.a1.address);
  await probes.a1.request({ poke: `${hotspots.iso.address}:${port}`, from: peer, say: 'early' });
  const { answers } = await probes.q1.request({ ask: [peer], port });
  assert.equal(answers[peer], `${hotspots.iso.address}:${port}`);
}

async function isolation(probes) {
  const other = echo(hosts.q2.address);
  const { answers } = await probes.q1.request({ ask: [other, echo(segments.A.server)] });
  assert.equal(answers[other], null, 'q1 reaches q2');
  assert.notEqual(answers[echo(segments.A.server)], null, 'q1 does not reach the server');
}

/** Out of the locked segment leads one TCP port of the server, and nothing back in. */
async function locked(probes) {
  const open = serverAddresses.map((address) => `${address}:${httpsPort}`);
  const shut = [...serverAddresses.map(echo), echo(hosts.a1.address)];
  const { answers } = await probes.l1.request({ dial: [...open, ...shut] });
  assert.deepEqual(Object.keys(answers).filter((to) => answers[to]), open);
  const back = await probes.srv.request({ ask: [echo(hosts.l1.address)] });
  assert.equal(back.answers[echo(hosts.l1.address)], null, 'the server reaches into the locked segment');
  const { answers: near } = await probes.l1.request({ ask: [echo(hosts.l2.address)] });
  assert.notEqual(near[echo(hosts.l2.address)], null, 'l1 does not reach l2');
}

/** Runs every check, and calls done(name, error or undefined) after each. */
export async function check(topology, done) {
  const probes = {};
  for (const place of Object.keys(hosts)) probes[place] = new Probe(topology, place, [hosts[place].address]);
  probes.srv = new Probe(topology, 'srv', serverAddresses);
  const blocked = async () => {
    topology.direct(false);
    try {
      await matrix(probes, false);
    } finally {
      topology.direct(true);
    }
  };
  const checks = {
    'everybody reaches everybody who has an address': () => matrix(probes, true),
    'with direct traffic off, only own segment and server': blocked,
    'nobody reaches into a hotspot': () => hidden(probes),
    'sym takes another port for every destination': () => symmetric(probes),
    'iso keeps the port': () => preserving(probes),
    'iso lets in only whom a phone has asked': () => filtering(probes),
    'an early packet does not spoil a port at iso': () => punching(probes),
    'phones at iso do not reach each other': () => isolation(probes),
    'from the locked segment, one TCP port of the server': () => locked(probes),
  };
  try {
    await Promise.all(Object.values(probes).map((probe) => probe.ready));
    for (const [name, prove] of Object.entries(checks)) {
      await prove().then(() => done(name), (error) => done(name, error));
    }
  } finally {
    await Promise.all(Object.values(probes).map((probe) => probe.close()));
  }
}
