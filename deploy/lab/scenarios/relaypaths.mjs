// Relayed calls with each way that the server can take packets through itself.
import assert from 'node:assert/strict';
import { alive, assertRelayed, connect } from '../call.mjs';
import { until } from '../wait.mjs';

const total = 'fieldphone_turn_packets_total';
const byKernel = 'fieldphone_turn_kernel_packets_total';

/** Who calls whom, while the router passes nothing but the server's traffic: one relay, and two. */
const calls = [['a1', 'b1'], ['p1', 'a1'], ['a1', 'b1', '&relay=1']];

/** One calls the other; tells what of the call the kernel forwarded, and whether it could have. */
async function callThrough(lab, ...sides) {
  const call = await connect(...sides);
  await assertRelayed(call);
  const before = await lab.server.counter(byKernel);
  await Promise.all(sides.map((side) => alive(side)));
  const forwarded = (await lab.server.counter(byKernel)) - before;
  const ends = await Promise.all(sides.map((side) => side.stats()));
  const byUDP = ends.some(({ local }) => local.type === 'relay' && local.protocol === 'udp');
  await sides[0].hangUp();
  await Promise.all(sides.map((side) => side.isFree()));
  return { forwarded, byUDP };
}

const relayPath = (path) => ({
  name: `relay-${path}`,
  about: `relayed calls with relay.path ${path}`,
  async run(lab) {
    await lab.configure({ FIELDPHONE_RELAY_PATH: path });
    const taken = lab.server.pathOfPackets();
    if (path === 'kernel' && taken.path !== 'kernel') {
      assert.equal(taken.path, 'user', 'the next best path');
      return { note: `not possible here: ${taken.why}` };
    }
    assert.equal(taken.path, path);
    lab.block();
    const people = await lab.people('a1', 'b1', 'p1');
    const at = (place) => people.find((person) => person.place === place);
    const shares = [];
    for (const [from, to, query] of calls) {
      if (query) await Promise.all([at(from), at(to)].map((person) => person.open(query)));
      const { forwarded, byUDP } = await callThrough(lab, at(from), at(to));
      // A browser may have chosen its TCP connection to the relay, which is not for the kernel.
      if (path === 'kernel') assert.ok(forwarded > 0 || !byUDP, `the kernel forwarded nothing of ${from} to ${to}`);
      else assert.equal(forwarded, 0, 'packets that the kernel forwarded');
      shares.push(forwarded);
    }
    if (path === 'kernel') assert.ok(shares.some(Boolean), 'the kernel forwarded nothing');
    await until('the relay has counted', () => lab.server.counter(total), (packets) => packets > 0, 5_000);
    return path === 'kernel' ? { note: `packets that the kernel forwarded meanwhile: ${shares.join(', ')}` } : {};
  },
});

export default ['kernel', 'user', 'plain'].map(relayPath);
