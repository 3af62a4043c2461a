// Signalling where WebSockets fail, as on phones that refuse wss after a warning.
import { alive, connect, summary } from '../call.mjs';
import { until } from '../wait.mjs';

/** Makes every WebSocket of the page end before it opens, as such phones do. */
function refuseSockets() {
  window.WebSocket = class {
    constructor() {
      setTimeout(() => this.onclose?.({ code: 1006 }), 20);
    }

    send() {}

    close() {}
  };
}

export default [
  {
    name: 'events-call',
    about: 'a whole call over server-sent events, for longer than a response may take',
    async run(lab) {
      const call = await connect(...(await lab.people('a1', 'b1', { script: refuseSockets })));
      const streams = () => call.caller.page.evaluate(() => performance.getEntriesByType('resource').filter((r) => r.name.endsWith('/api/v1/events')).length);
      await Promise.all([alive(call.caller), alive(call.callee)]);
      await call.callee.write(call.caller, 'over events');
      await call.caller.reads('over events');
      const began = Date.now();
      await until('the stream outlives the 30 s that a response may take', () => Date.now() - began, (ms) => ms > 35_000, 40_000);
      if ((await streams()) > 0) throw new Error('an event stream ended during the call');
      await call.callee.hangUp();
      await Promise.all([call.caller.isFree(), call.callee.isFree()]);
      return summary(call);
    },
  },
];
