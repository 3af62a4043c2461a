// A call between two people, and what must be true of it.
import assert from 'node:assert/strict';
import { until } from './wait.mjs';

const connectMs = 15_000;
const growMs = 5_000;
/** Time that a page may take to notice that the browser passes over the direct path, and to mend it. */
const directMs = 10_000;

/** One calls, the other accepts; both see and hear each other. */
export async function connect(caller, callee) {
  await caller.sees(callee);
  await caller.call(callee);
  const accepted = await callee.accept();
  const shown = await Promise.all([caller, callee].map((side) => side.firstFrame(connectMs)));
  const call = { caller, callee, toFirstFrame: (Math.max(...shown) - accepted) / 1000 };
  await Promise.all([alive(caller), alive(callee)]);
  call.ends = await paths(caller, callee);
  return call;
}

/** This side sees a moving picture and hears sound, from now on. */
export async function alive(person, { video = true, audio = true } = {}) {
  const start = await until(`${person.name}'s media connects`, () => person.stats(), (s) => s?.local, connectMs);
  if (video) {
    await until(`${person.name} decodes video`, () => person.stats(), (s) => s?.frames > start.frames + 2, growMs);
    const first = await until(`${person.name} is shown a picture`, () => person.picture(), Boolean, growMs);
    await until(`${person.name}'s picture moves`, () => person.picture(), (p) => p && p !== first, growMs);
  }
  if (audio) {
    await until(`${person.name} hears sound`, () => person.stats(), (s) => s?.energy > start.energy + 0.001, growMs);
  }
}

const types = ({ local, remote }) => `${local.type}/${remote.type}`;

/** The selected pair of each end, like "a1 host/prflx" (own candidate, the other's). */
export async function paths(...people) {
  const stats = await Promise.all(people.map((person) => person.stats()));
  return people.map((person, i) => `${person.place} ${types(stats[i])}`);
}

/** Either candidate of a pair can be a relay's: each end may have chosen the other's for a moment. */
const relayed = (ends) => ends.some((end) => end.split(' ')[1].includes('relay'));

/** The path is direct, at the latest some seconds after the first picture, and both pages say so. */
export async function assertDirect(call) {
  call.ends = await until('the path is direct', () => paths(call.caller, call.callee), (ends) => !relayed(ends), directMs);
  await Promise.all([call.caller, call.callee].map((side) => side.reads('Connected directly')));
}

/** The path goes through the relay, and both pages say so. */
export async function assertRelayed(call) {
  assert.ok(relayed(call.ends), `want a path through the relay, got ${call.ends.join(', ')}`);
  await Promise.all([call.caller, call.callee].map((side) => side.reads('Connected through the relay')));
}

/** What a scenario returns about its call, for the report. */
export const summary = ({ ends, toFirstFrame }) => ({ ends, toFirstFrame });
