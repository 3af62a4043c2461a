// The server's host gets another address while people are on: a hotspot switched on, a new
// DHCP lease.
import assert from 'node:assert/strict';
import { alive, connect, summary } from '../call.mjs';
import * as netns from '../netns.mjs';
import { originOf } from '../server.mjs';

const extra = '10.77.1.3';

export default [
  {
    name: 'address-arrives',
    about: 'a new address is served, certified and relayed by without a restart, and a call goes on meanwhile',
    async run(lab) {
      const server = lab.topology.ns('srv');
      const call = await connect(...(await lab.people('a1', 'b1')));
      netns.ipBatch(server, [`address add ${extra}/24 dev lanA`]);
      try {
        await lab.server.fetch('a2', `${originOf(extra)}/healthz`, lab.server.caFile);
        const a2 = await lab.person('a2', { server: extra });
        const urls = await a2.iceURLs();
        assert.ok(urls.length > 0 && urls.every((url) => url.includes(`:${extra}:`)), `relays for who came by ${extra}: ${urls}`);
        await Promise.all([alive(call.caller), alive(call.callee)]);
      } finally {
        netns.ipBatch(server, [`address del ${extra}/24 dev lanA`]);
      }
      await call.callee.hangUp();
      await Promise.all([call.caller.isFree(), call.callee.isFree()]);
      return summary(call);
    },
  },
];
