// A phone in a call that walks from one hotspot to the other.
import assert from 'node:assert/strict';
import { alive, assertDirect, assertRelayed, connect, paths, summary } from '../call.mjs';

/** What one walk may take at most; the median of ten must be better, see roam-ten. */
const boundMs = 8_000;
const patienceMs = 30_000;

/** The phone walks; returns after how many milliseconds each side, phone first, hears again. */
async function walk(lab, phone, other, betweenMs) {
  const up = await lab.roam(phone.place, betweenMs);
  const heard = await Promise.all([phone.soundReturns(patienceMs), other.soundReturns(patienceMs)]);
  return heard.map((at) => at - up);
}

const show = (walks) => walks.map((ends) => ends.map((ms) => (ms / 1000).toFixed(2)).join('/')).join(' ');

const median = (numbers) => {
  const sorted = numbers.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
};

export default [
  {
    name: 'roam',
    about: 'a phone in a call walks to the other hotspot and back; a text sent meanwhile arrives once',
    async run(lab) {
      const [p1, a1] = await lab.people('p1', 'a1', { microphone: lab.speech });
      const call = await connect(p1, a1);
      const first = walk(lab, p1, a1, 1_500);
      await a1.write(p1, 'while you walk');
      const walks = [await first, await walk(lab, p1, a1, 1_500)];
      for (const ms of walks.flat()) assert.ok(ms < boundMs, `sound was back after ${show(walks)} s`);
      await Promise.all([alive(p1), alive(a1)]);
      await p1.openText(a1);
      await p1.reads('while you walk');
      assert.equal(await p1.page.getByRole('log').getByText('while you walk').count(), 1, 'how often the text is there');
      return { ...summary(call), note: `sound back after ${show(walks)} s (phone/other)` };
    },
  },
  {
    name: 'direct-falls-to-relay',
    about: 'direct traffic is blocked during a direct call, which goes on by the relay',
    async run(lab) {
      const sides = await lab.people('a1', 'b1', { microphone: lab.speech });
      const call = await connect(...sides);
      await assertDirect(call);
      lab.block();
      const at = Date.now();
      const heard = await Promise.all(sides.map((side) => side.soundReturns(patienceMs, true)));
      const times = heard.map((back) => back - at);
      for (const ms of times) assert.ok(ms < boundMs, `sound was back after ${show([times])} s`);
      const ends = await paths(...sides);
      await assertRelayed({ ...call, ends });
      await Promise.all(sides.map((side) => alive(side)));
      return { ends, note: `sound back ${show([times])} s after the cut` };
    },
  },
  {
    name: 'roam-ten',
    about: 'ten walks, by caller and callee, after shorter and longer times without a network',
    only: true,
    async run(lab) {
      const walks = [];
      for (const caller of ['p1', 'a1']) {
        const [p1, a1] = await lab.people('p1', 'a1', { microphone: lab.speech });
        await (caller === 'p1' ? connect(p1, a1) : connect(a1, p1));
        for (const between of [300, 1_000, 2_000, 4_000, 8_000]) {
          walks.push(await walk(lab, p1, a1, between));
          await Promise.all([alive(p1), alive(a1)]);
        }
        await lab.leave();
      }
      const both = walks.map((ends) => Math.max(...ends));
      const seconds = median(both) / 1000;
      assert.ok(seconds < 3, `median ${seconds.toFixed(2)} s of ${show(walks)}`);
      return { note: `sound back after ${show(walks)} s (phone/other); median ${seconds.toFixed(2)} s`, walks };
    },
  },
];
