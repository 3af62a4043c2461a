// Calls between every pair of places: direct where the network allows, relayed where not.
import assert from 'node:assert/strict';
import { assertDirect, assertRelayed, connect, summary } from '../call.mjs';
import { serverFor } from '../plan.mjs';

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

/** A slow page: the other end's connectivity checks are there before it has read the answer. */
function slow() {
  const { setRemoteDescription } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.setRemoteDescription = async function (description) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return setRemoteDescription.call(this, description);
  };
}

export default [
  {
    name: 'same-segment',
    about: 'two clients of segment A, one of them slow',
    async run(lab) {
      const people = await Promise.all([lab.person('a1', { script: slow }), lab.person('a2')]);
      const call = await connect(...people);
      await assertDirect(call);
      await assertOwnRelays(call);
      return summary(call);
    },
  },
  pair('routed', 'A to B, the router lets them', 'a1', 'b1', direct),
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
