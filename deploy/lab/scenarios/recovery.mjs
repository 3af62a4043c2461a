// Calls that something happens to, and that go on.
import { alive, assertDirect, assertRelayed, connect, summary } from '../call.mjs';
import { until } from '../wait.mjs';

const returnMs = 20_000;
const away = 'Server out of reach';

/** Both see and hear each other again, on whatever connection the pages now have. */
async function back(...people) {
  await Promise.all(people.map(async (person) => {
    const before = (await person.stats())?.frames ?? 0;
    const again = (s) => s?.state === 'connected' && s.frames > 0 && s.frames !== before;
    await until(`${person.name} is back`, () => person.stats(), again, returnMs);
    await alive(person);
  }));
}

function reload(name, who) {
  return {
    name,
    about: `the ${who} reloads the page during a call`,
    async run(lab) {
      const call = await connect(...(await lab.people('a1', 'b1')));
      await call[who].page.reload();
      await back(call.caller, call.callee);
      await call.callee.hangUp();
      await Promise.all([call.caller.isFree(), call.callee.isFree()]);
      return summary(call);
    },
  };
}

export default [
  reload('caller-reloads', 'caller'),
  reload('callee-reloads', 'callee'),
  {
    name: 'server-restart',
    about: 'the server restarts during a direct call, which goes on',
    async run(lab) {
      const call = await connect(...(await lab.people('a1', 'b1')));
      await assertDirect(call);
      const sides = [call.caller, call.callee];
      await lab.server.stop();
      await Promise.all(sides.map((side) => side.reads(away)));
      await Promise.all(sides.map((side) => alive(side)));
      await lab.server.start();
      await Promise.all(sides.map((side) => side.readsNoMore(away)));
      await Promise.all(sides.map((side) => alive(side)));
      await call.caller.hangUp();
      await Promise.all(sides.map((side) => side.isFree()));
      return summary(call);
    },
  },
  {
    name: 'restart-relayed',
    about: 'the server restarts during a relayed call, which comes back by itself',
    async run(lab) {
      lab.block();
      const call = await connect(...(await lab.people('a1', 'b1')));
      await assertRelayed(call);
      await lab.server.restart();
      await back(call.caller, call.callee);
      await assertRelayed(call);
      return summary(call);
    },
  },
];
