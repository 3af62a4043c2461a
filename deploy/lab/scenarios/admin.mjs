// The network admin at work while people talk: moves the relay ports, finds the firewall rule
// that is missing, and puts somebody out.
import assert from 'node:assert/strict';
import { alive, assertRelayed, connect, summary } from '../call.mjs';
import * as netns from '../netns.mjs';
import { segments } from '../plan.mjs';
import { until } from '../wait.mjs';

const fresh = { min: 50000, max: 50019 };
const revokedMs = 1000;
const testMs = 40_000;

/** What the dashboard's numbers are made of. */
const live = (admin) =>
  admin.page.evaluate(async () => {
    const response = await fetch('/api/v1/admin/live');
    if (!response.ok) throw new Error(`/api/v1/admin/live answered ${response.status}`);
    return response.json();
  });

const section = (admin, name) => admin.page.getByRole('navigation').getByRole('button', { name, exact: true }).click();

async function dashboard(admin) {
  await admin.button('Administration').click();
  await admin.page.getByRole('heading', { name: 'Administration', exact: true }).waitFor();
}

/** The ports that a person's relay candidates have. */
const relayPorts = async (person) => (await person.stats()).relayPorts;

const inside = ({ min, max }) => (port) => port >= min && port <= max;

async function moveRange(admin) {
  await section(admin, 'Relay');
  await admin.box('First relay port').fill(String(fresh.min));
  await admin.box('Last relay port').fill(String(fresh.max));
  await admin.button('Preview').click();
  await admin.reads(/keep (them|their ports?) until/);
  await admin.button('Apply').click();
  await until('the server has the new range', () => live(admin), ({ ports }) => ports.every((p) => p.min === fresh.min && p.max === fresh.max), 5000);
}

/** Takes the last change back, in the log of what administrators did. */
async function undo(admin, range) {
  await section(admin, 'Log');
  await admin.button('Undo').first().click();
  await until('the old range is back', () => live(admin), ({ ports }) => ports.every((p) => p.min === range.min && p.max === range.max), 5000);
}

/** Asks every client for a path test, and waits until all have answered. */
async function testPaths(admin) {
  await section(admin, 'Path test');
  await admin.button('Ask all clients').click();
  const result = admin.page.getByRole('region', { name: 'Result', exact: true });
  for (const busy of ['true', 'false']) {
    await until(`the path test's result is ${busy === 'true' ? 'awaited' : 'there'}`, () => result.getAttribute('aria-busy'), (is) => is === busy, testMs);
  }
  return result;
}

export default [
  {
    name: 'admin-moves-ports',
    about: 'the relay range is moved during a relayed call, which goes on; new calls use the new range',
    async run(lab) {
      lab.block();
      const admin = await lab.administrator('a2');
      const call = await connect(...(await lab.people('a1', 'b1')));
      await assertRelayed(call);
      const before = await Promise.all([relayPorts(call.caller), relayPorts(call.callee)]);
      await dashboard(admin);
      const [{ min, max }] = (await live(admin)).ports;
      await moveRange(admin);
      await Promise.all([alive(call.caller), alive(call.callee)]);
      assert.deepEqual(await Promise.all([relayPorts(call.caller), relayPorts(call.callee)]), before, 'ports of the call that went on');
      assert.ok(!before.flat().some(inside(fresh)), `the first call has ports of the new range: ${before}`);
      await call.caller.hangUp();
      await Promise.all([call.caller.isFree(), call.callee.isFree()]);
      const again = await connect(call.callee, call.caller);
      const after = await Promise.all([relayPorts(again.caller), relayPorts(again.callee)]);
      assert.ok(after.flat().length > 0 && after.flat().every(inside(fresh)), `ports of the next call: ${after}`);
      await undo(admin, { min, max });
      return { ...summary(call), ports: `${before.flat()} -> ${after.flat()}` };
    },
  },
  {
    name: 'admin-finds-the-rule',
    about: 'UDP is blocked at the router; the path test names the leg and the rule, which is pasted and mends it',
    async run(lab) {
      const admin = await lab.administrator('a2');
      await lab.person('b1', { server: segments.A.server });
      lab.shut(`ip saddr ${segments.B.subnet} meta l4proto udp`);
      await dashboard(admin);
      const bad = await testPaths(admin);
      await bad.getByText(/3478/).first().waitFor();
      const rule = await lab.copied(admin, () => bad.getByRole('button', { name: 'Copy rule', exact: true }).first().click());
      assert.match(rule, /nft insert rule inet filter forward .*udp/, 'the rule for the router');
      netns.run(lab.topology.ns('r'), ['sh', '-e'], rule);
      const good = await testPaths(admin);
      assert.equal(await good.getByRole('button', { name: 'Copy rule', exact: true }).count(), 0, 'rules that are still missing');
      return { rule };
    },
  },
  {
    name: 'admin-disables',
    about: 'somebody is disabled during a relayed call, and their relay is gone within a second',
    async run(lab) {
      lab.block();
      const admin = await lab.administrator('a2');
      const [a1, b1] = await lab.people('a1', 'b1');
      const call = await connect(a1, b1);
      await assertRelayed(call);
      await dashboard(admin);
      await section(admin, 'People');
      await admin.button(`Disable ${b1.name}`).click();
      const clicked = Date.now();
      const confirm = admin.page.getByRole('dialog').getByRole('button', { name: 'Disable', exact: true });
      await confirm.click();
      const mine = ({ allocations }) => allocations.filter(({ user }) => user === b1.id);
      await until('the relay is gone', () => live(admin), (now) => mine(now).length === 0, revokedMs);
      const gone = Date.now() - clicked;
      await a1.isFree();
      await b1.box('User ID').waitFor();
      return { ...summary(call), relayGoneAfterMs: gone };
    },
  },
];
