// Calls that never start: each side must be told what happened.
import { alive } from '../call.mjs';

async function ring(caller, callee) {
  await caller.sees(callee);
  await caller.call(callee);
  await callee.ringing.waitFor();
}

async function assertOver(...people) {
  for (const person of people) {
    await person.ringing.waitFor({ state: 'hidden' });
    await person.isFree();
  }
}

export default [
  {
    name: 'decline',
    about: 'the other one does not want to',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      await ring(a1, a2);
      await a2.decline();
      await a1.reads(`${a2.name} declined`);
      await assertOver(a1, a2);
    },
  },
  {
    name: 'cancel',
    about: 'the caller gives up while it rings',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      await ring(a1, a2);
      await a1.hangUp();
      await assertOver(a1, a2);
      await a2.openText(a1);
      await a2.reads('Missed video call');
    },
  },
  {
    name: 'no-answer',
    about: 'nobody answers within the ring timeout (3 s here)',
    async run(lab) {
      await lab.configure({ FIELDPHONE_SIGNALLING_RING_TIMEOUT: '3s' });
      const [a1, a2] = await lab.people('a1', 'a2');
      await ring(a1, a2);
      await a1.reads(`${a2.name} did not answer`);
      await assertOver(a1, a2);
      await a2.openText(a1);
      await a2.reads('Missed video call');
    },
  },
  {
    name: 'two-devices',
    about: 'both devices of a user ring; the first to accept gets the call, the other stops',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      const more = await lab.person('b1', { as: a2 });
      await ring(a1, a2);
      await more.ringing.waitFor();
      await more.accept();
      await a2.ringing.waitFor({ state: 'hidden' });
      await Promise.all([alive(a1), alive(more)]);
      await a2.reads(`In a call with ${a1.name} on another device`);
      await a1.hangUp();
      await assertOver(a1, a2, more);
      await a2.openText(a1);
      await a2.reads('Video call');
    },
  },
  {
    name: 'both-call',
    about: 'two call each other in the same moment, and are in one call',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      await Promise.all([a1.sees(a2), a2.sees(a1)]);
      const moment = Date.now() + 500;
      await Promise.all([a1.callAt(a2, moment), a2.callAt(a1, moment)]);
      await Promise.all([alive(a1), alive(a2)]);
      await a2.hangUp();
      await assertOver(a1, a2);
    },
  },
];
