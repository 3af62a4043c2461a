// What people do during calls, and how calls end.
import { alive, connect, summary } from '../call.mjs';

/** The call ends for both when this side hangs up. */
function hangUp(name, who) {
  return {
    name,
    about: `the ${who} hangs up`,
    async run(lab) {
      const call = await connect(...(await lab.people('a1', 'a2')));
      const [one, other] = who === 'caller' ? [call.caller, call.callee] : [call.callee, call.caller];
      await one.hangUp();
      await other.reads(`${one.name} hung up`);
      await Promise.all([one.isFree(), other.isFree()]);
      await Promise.all([one.sees(other), other.sees(one)]);
    },
  };
}

async function exchange(one, other, word) {
  await other.openText(one);
  await one.write(other, `${word} from ${one.name} <b>&amp;</b>`);
  await other.reads(`${word} from ${one.name} <b>&amp;</b>`);
  await other.write(one, `${word} back from ${other.name}`);
  await one.reads(`${word} back from ${other.name}`);
}

export default [
  hangUp('caller-hangs-up', 'caller'),
  hangUp('callee-hangs-up', 'callee'),
  {
    name: 'text',
    about: 'text outside and during a call',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      await a1.sees(a2);
      await exchange(a1, a2, 'before');
      const call = await connect(a1, a2);
      await exchange(a1, a2, 'during');
      await Promise.all([alive(a1), alive(a2)]);
      return summary(call);
    },
  },
  {
    name: 'audio-call',
    about: 'a call without video',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      await a1.sees(a2);
      await a1.call(a2, 'Audio');
      await a2.accept();
      await Promise.all([alive(a1, { video: false }), alive(a2, { video: false })]);
      await a1.hangUp();
      await Promise.all([a1.isFree(), a2.isFree()]);
    },
  },
  {
    name: 'camera-denied',
    about: 'the caller may not use the camera, and calls all the same',
    async run(lab) {
      const [a1, a2] = await Promise.all([lab.person('a1', { permissions: ['microphone'] }), lab.person('a2')]);
      await a1.sees(a2);
      await a1.call(a2);
      await a2.accept();
      await a1.reads('The camera is not allowed');
      await Promise.all([alive(a1), alive(a2, { video: false })]);
      await a2.reads(`${a1.name}'s camera is off`);
    },
  },
  {
    name: 'all-denied',
    about: 'the caller may use neither camera nor microphone, and still sees and hears',
    async run(lab) {
      const [a1, a2] = await Promise.all([lab.person('a1', { permissions: [] }), lab.person('a2')]);
      await a1.sees(a2);
      await a1.call(a2);
      await a2.accept();
      await alive(a1);
      await a1.hangUp();
      await Promise.all([a1.isFree(), a2.isFree()]);
    },
  },
];
