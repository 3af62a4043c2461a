// Call waiting, calls on other devices, and the list of past calls.
import assert from 'node:assert/strict';
import { alive, connect } from '../call.mjs';
import { until } from '../wait.mjs';

/** Somebody calls a person who is in a call. */
async function knock(caller, callee) {
  await caller.sees(callee);
  await caller.call(callee);
  await caller.reads(`${callee.name} is in another call`);
  await callee.ringing.waitFor();
}

/** No sound comes through any more. */
async function assertSilent(person) {
  const energy = async () => (await person.stats())?.energy;
  await until(`${person.name} hears nothing`, async () => {
    const before = await energy();
    await person.page.waitForTimeout(700);
    return (await energy()) - before;
  }, (grown) => grown < 0.001, 8_000);
}

export default [
  {
    name: 'call-waiting',
    about: 'a second call is taken while the first is on hold; swapped back and forth, one hung up',
    async run(lab) {
      const [a1, a2, b1] = await lab.people('a1', 'a2', 'b1');
      await connect(a1, a2);
      await knock(b1, a2);
      await a2.accept();
      await Promise.all([alive(b1), alive(a2)]);
      await a1.reads(`${a2.name} put you on hold`);
      await assertSilent(a1);

      await a2.button(`Swap to ${a1.name}`).click();
      await b1.reads(`${a2.name} put you on hold`);
      await Promise.all([alive(a1), alive(a2)]);
      await assertSilent(b1);

      await a2.page.reload({ waitUntil: 'commit' });
      await a2.button(`Swap to ${b1.name}`).waitFor();
      await Promise.all([alive(a1), alive(a2)]);
      await b1.reads(`${a2.name} put you on hold`);

      await a2.hangUp();
      await a1.isFree();
      await Promise.all([alive(b1), alive(a2)]);
      await b1.hangUp();
      await Promise.all([a2.isFree(), b1.isFree()]);
    },
  },
  {
    name: 'call-held',
    about: 'a single call is put on hold, on a phone and on a wide screen, and goes on',
    async run(lab) {
      const [a1, p1] = await lab.people('a1', 'p1');
      await p1.page.setViewportSize({ width: 390, height: 844 });
      await connect(a1, p1);
      const hold = [
        [a1, p1, () => a1.button('Hold').click()],
        [p1, a1, async () => {
          await p1.button('More').click();
          await p1.button('Hold').click();
        }],
      ];
      for (const [holder, other, press] of hold) {
        await press();
        await Promise.all([
          other.reads(`${holder.name} put you on hold`),
          holder.reads(`On hold: ${other.name} hears and sees nothing of you`),
        ]);
        await Promise.all([assertSilent(holder), assertSilent(other)]);
        await holder.button('Resume').press('Enter');
        await other.readsNoMore(`${holder.name} put you on hold`);
        await Promise.all([alive(a1), alive(p1)]);
      }
    },
  },
  {
    name: 'call-waiting-declined',
    about: 'a second call is declined, a third is busy, and the first goes on',
    async run(lab) {
      const [a1, a2, b1, more] = await lab.people('a1', 'a2', 'b1', 'b1');
      await connect(a1, a2);
      await knock(b1, a2);
      await more.sees(a2);
      await more.call(a2);
      await more.reads(`${a2.name} has two calls already`);
      await a2.decline();
      await b1.reads(`${a2.name} declined`);
      await a2.ringing.waitFor({ state: 'hidden' });
      await Promise.all([alive(a1), alive(a2)]);
    },
  },
  {
    name: 'call-moves',
    about: 'a call is brought to another device of the same person, and back',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      const more = await lab.person('b1', { as: a2 });
      await connect(a1, a2);
      for (const [to, from] of [[more, a2], [a2, more]]) {
        await to.reads(`In a call with ${a1.name} on another device`);
        await to.button('Take the call here').click();
        await Promise.all([alive(a1), alive(to), from.reads('The call goes on on another of your devices')]);
        await from.isFree();
      }
      await a1.hangUp();
      await Promise.all([a1.isFree(), a2.isFree()]);
      await more.readsNoMore(`In a call with ${a1.name} on another device`);
    },
  },
  {
    name: 'declined-everywhere',
    about: 'declined on one device, a call stops ringing on the other',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      const more = await lab.person('b1', { as: a2 });
      await a1.sees(a2);
      await a1.call(a2);
      await Promise.all([a2.ringing.waitFor(), more.ringing.waitFor()]);
      await a2.decline();
      await Promise.all([a2, more].map((device) => device.ringing.waitFor({ state: 'hidden' })));
      await a1.reads(`${a2.name} declined`);
      await a1.isFree();
    },
  },
  {
    name: 'missed-call-listed',
    about: 'who was away finds the call that was missed, and calls back from the list',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      await a1.sees(a2);
      await a1.call(a2);
      await a2.ringing.waitFor();
      await a1.hangUp();
      await a2.ringing.waitFor({ state: 'hidden' });
      await a2.page.reload({ waitUntil: 'commit' });
      await a2.button('Calls, 1 missed').click();
      await a2.reads(`${a1.name} gave up calling`);
      await a2.button('Calls').waitFor();
      const list = a2.page.getByRole('region', { name: 'Calls' });
      await list.getByRole('button', { name: `Video call ${a1.name}` }).click();
      await a1.accept();
      await Promise.all([alive(a1), alive(a2)]);
      assert.equal(await a1.ringing.count(), 0);
    },
  },
];
