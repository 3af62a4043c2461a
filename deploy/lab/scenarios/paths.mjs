// Calls between every pair of places: direct where the network allows, relayed where not.
import assert from 'node:assert/strict';
import { assertDirect, assertRelayed, connect, summary } from '../call.mjs';
import { candidates } from '../media.mjs';
import { serverFor } from '../plan.mjs';
import { until } from '../wait.mjs';

/** A call between two places whose path must be direct, or must be relayed. */
function pair(name, about, from, to, { blocked = false, assertPath }) {
  return {
    name,
    about,
    async run(lab) {
      if (blocked) lab.block();
      const call = await connect(...(await lab.people(from, to)));
      await assertPath(call);
      await assertOwnRelays(call);
      return summary(call);
    },
  };
}

/** Each side is told of, and got relay candidates on, the address its page came from. */
async function assertOwnRelays({ caller, callee }) {
  for (const person of [caller, callee]) {
    const { place, server } = person;
    const urls = await person.iceURLs();
    assert.ok(urls.length > 0, `${place} is told of no ICE server`);
    for (const url of urls) assert.ok(url.includes(`:${server}:`), `${place} came by ${server} and is told of ${url}`);
    const { relays } = await person.stats();
    for (const address of relays) assert.equal(address, server, `address of ${place}'s relay candidate`);
  }
}

const direct = { assertPath: assertDirect };
const relay = { assertPath: assertRelayed };
const blocked = { assertPath: assertRelayed, blocked: true };

/** A page that takes in no candidate of the other end before window.goOn. */
function holdCandidates() {
  const { addIceCandidate } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.addIceCandidate = async function (candidate) {
    while (!window.goOn) await new Promise((resolve) => setTimeout(resolve, 50));
    return addIceCandidate.call(this, candidate);
  };
}

/** How many checks have arrived at a person's browser on a pair where it makes none. */
async function unheeded(person) {
  const pairs = (await person.page.evaluate(candidates)).filter(({ type }) => type === 'candidate-pair');
  return Math.max(0, ...pairs.filter((pair) => pair.requestsSent === 0).map((pair) => pair.requestsReceived));
}

export default [
  pair('same-segment', 'two clients of segment A', 'a1', 'a2', direct),
  pair('routed', 'A to B, the router lets them', 'a1', 'b1', direct),
  {
    name: 'direct-overtaken',
    about: 'checks of the other end are there before its candidates, those by the relay first',
    async run(lab) {
      lab.block();
      const call = await connect(...(await Promise.all([lab.person('a1', { script: holdCandidates }), lab.person('b1')])));
      lab.unblock();
      await until('direct checks arrive, unheeded', () => unheeded(call.caller), (n) => n > 1, 10_000);
      await call.caller.page.evaluate(() => (window.goOn = true));
      await assertDirect(call);
      return summary(call);
    },
  },
  pair('blocked', 'A to B, the router does not', 'a1', 'b1', blocked),
  pair('second-address', 'a client of B calls by the server\'s second address', 'b1', 'a1', blocked),
  {
    name: 'far-address',
    about: 'a client of B who opened the page by the address in A',
    async run(lab) {
      lab.block();
      const server = serverFor('a1');
      const [a1, b1] = await Promise.all([lab.person('a1'), lab.person('b1', { server })]);
      const call = await connect(b1, a1);
      await assertRelayed(call);
      await assertOwnRelays(call);
      return summary(call);
    },
  },
  pair('symmetric-nat', 'phone behind symmetric NAT to A, blocked', 'p1', 'a1', blocked),
  pair('across-hotspots', 'phone to phone, each behind a NAT of its own', 'p1', 'q1', relay),
  pair('isolated-phones', 'two phones of one hotspot that keeps them apart', 'q1', 'q2', relay),
  {
    name: 'relay-only',
    about: 'both pages opened with ?relay=1',
    async run(lab) {
      const options = { query: '&relay=1' };
      const call = await connect(...(await Promise.all([lab.person('a1', options), lab.person('a2', options)])));
      const stats = await Promise.all([call.caller.stats(), call.callee.stats()]);
      assert.deepEqual(stats.map((s) => s.local.type), ['relay', 'relay']);
      return summary(call);
    },
  },
];
