// A link that is weak for a while: the sound stays good, the picture yields and comes back.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { alive, connect, summary } from '../call.mjs';
import { until } from '../wait.mjs';

const link = { loss: 5, kbps: 300 };
/** Time that the picture gets to yield, before the sound is judged; then so long it is. */
const yieldMs = 6_000;
const weakMs = 30_000;
const backMs = 60_000;
/** Part of the sound that may be made up. */
const concealedMost = 0.1;

/** What happened between two looks at what arrives. */
function between(before, after) {
  const d = (field) => after[field] - before[field];
  const seconds = d('at') / 1000;
  return {
    packets: d('packets') / seconds,
    loss: d('lost') / Math.max(1, d('lost') + d('packets')),
    concealed: d('concealed') / Math.max(1, d('samples')),
    kbps: (d('videoBytes') * 8) / 1000 / seconds,
    fps: d('frames') / seconds,
    height: after.height,
  };
}

async function watch(people, ms) {
  const look = () => Promise.all(people.map((person) => person.arriving()));
  const before = await look();
  await pause(ms);
  const after = await look();
  return before.map((first, i) => between(first, after[i]));
}

const show = (name, { concealed, loss, kbps, fps, height }) =>
  `${name}: concealed ${(concealed * 100).toFixed(1)} % (lost ${(loss * 100).toFixed(1)} %), picture ${kbps.toFixed(0)} kbit/s ${fps.toFixed(0)}/s ${height}p`;

function weakLink(name, about, block) {
  return {
    name,
    about,
    async run(lab) {
      if (block) lab.block();
      const people = await lab.people('p1', 'a1', { microphone: lab.speech });
      const call = await connect(...people);
      const good = await watch(people, 10_000);
      lab.weaken('p1', link);
      const first = await watch(people, yieldMs);
      const weak = await watch(people, weakMs);
      lab.strengthen('p1');
      const began = Date.now();
      const names = people.map(({ place }) => place);
      const note = () => ['good', good, 'first', first, 'weak', weak].map((part) =>
        typeof part === 'string' ? `\n       ${part}` : part.map((numbers, i) => show(names[i], numbers)).join('; ')).join(' ');
      for (const [i, { concealed, packets, kbps }] of weak.entries()) {
        assert.ok(packets > 20, `${names[i]} gets ${packets.toFixed(0)} packets of sound a second${note()}`);
        assert.ok(concealed < concealedMost, `${names[i]} hears too much made up${note()}`);
        assert.ok(kbps < link.kbps, `${names[i]}'s picture does not yield${note()}`);
      }
      // A step larger than it was, and as many pictures: how far it gets is the machine's affair.
      const back = (i) => until(`${names[i]}'s picture grows again${note()}`, () => people[i].arriving(),
        ({ height, fps }) => height > weak[i].height && fps > 0.6 * good[i].fps, backMs);
      await Promise.all(people.map((_, i) => back(i)));
      const seconds = (Date.now() - began) / 1000;
      await Promise.all(people.map((person) => alive(person)));
      return { ...summary(call), note: `${note()}\n       picture grew ${seconds.toFixed(0)} s after the link was good`, good, first, weak };
    },
  };
}

/** Presses one of the menu's switches. */
async function press(person, name) {
  await person.button('More').click();
  await person.button(name).click();
  await person.page.keyboard.press('Escape');
}

const pictureBytes = (person) => person.arriving().then(({ videoBytes }) => videoBytes);

/** Nothing of a picture arrives for two seconds. */
const pictureEnds = (person) =>
  until(`${person.name} is sent no picture`, async () => {
    const before = await pictureBytes(person);
    await pause(2_000);
    return (await pictureBytes(person)) - before;
  }, (bytes) => bytes === 0, 20_000);

const rate = async (person) => (await watch([person], 4_000))[0].kbps;

const thrift = {
  name: 'sound-only',
  about: 'one wants sound only, then saves data: both are told, the pictures yield, and come back',
  async run(lab) {
    const people = await lab.people('a1', 'a2', { microphone: lab.speech });
    const [a1, a2] = people;
    const call = await connect(a1, a2);
    await press(a1, 'Sound only');
    await Promise.all([a1.reads('Sound only: no pictures are sent or received'), a2.reads(`${a1.name} wants sound only: your picture is not sent`)]);
    await Promise.all(people.map(pictureEnds));
    await Promise.all(people.map((side) => alive(side, { video: false })));
    await press(a1, 'Sound only');
    await Promise.all(people.map((side) => alive(side)));
    await press(a1, 'Save data');
    await a2.reads(`${a1.name} saves data: your picture is sent small`);
    const small = await until('the pictures become small', () => Promise.all(people.map(rate)), (rates) => rates.every((kbps) => kbps < 200), 30_000);
    await Promise.all(people.map((side) => alive(side)));
    await press(a1, 'Save data');
    await a2.readsNoMore(`${a1.name} saves data: your picture is sent small`);
    return { ...summary(call), note: `pictures of ${small.map((kbps) => kbps.toFixed(0)).join(' and ')} kbit/s while data are saved` };
  },
};

export default [
  thrift,
  weakLink('weak-link', 'a phone loses 5 % and has 300 kbit/s for a while, in a direct call', false),
  weakLink('weak-relayed', 'the same in a relayed call', true),
];
