// Who sees whom, and for how long.
import assert from 'node:assert/strict';
import { until } from '../wait.mjs';

const soonMs = 1_000; // a newcomer appears
const ttlMs = 15_000; // somebody who vanished is gone; and what a heartbeat may add
const heartbeatMs = 5_000;

const gone = (person, other, patienceMs) =>
  until(`${person.name} sees ${other.name} go`, () => person.canCall(other), (can) => !can, patienceMs);

export default [
  {
    name: 'appear',
    about: 'people see each other within a second, and signing out at once',
    async run(lab) {
      const a1 = await lab.person('a1');
      const b1 = await lab.person('b1');
      const began = Date.now();
      await Promise.all([a1.sees(b1), b1.sees(a1)]);
      assert.ok(Date.now() - began < soonMs, `they saw each other after ${Date.now() - began} ms, want ${soonMs}`);
      await a1.line(b1).waitFor();
      await b1.signOut();
      await gone(a1, b1, soonMs);
      await b1.signIn();
      await Promise.all([a1.sees(b1), b1.sees(a1)]);
    },
  },
  {
    name: 'vanish',
    about: 'somebody whose browser ends is gone within the presence TTL',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      await a1.sees(a2);
      await a2.page.context().close();
      await gone(a1, a2, ttlMs + heartbeatMs);
    },
  },
];
