// An emergency: what an administrator says reaches everybody, whatever they are doing.
import assert from 'node:assert/strict';
import { alive, connect, summary } from '../call.mjs';
import { until } from '../wait.mjs';

const tellMs = 5000;
const hearMs = 15_000;

async function section(admin) {
  await admin.button('Administration').click();
  await admin.page.getByRole('navigation').getByRole('button', { name: 'Announcements', exact: true }).click();
  await admin.page.getByRole('heading', { name: 'Announcements', exact: true }).waitFor();
}

async function announce(admin, text) {
  await admin.box('Text').fill(text);
  await admin.page.getByRole('button', { name: /^Announce to \d/ }).click();
  await admin.page.getByRole('dialog').getByRole('button', { name: 'Announce', exact: true }).click();
}

const shown = (page, text) => page.getByRole('alertdialog', { name: 'Announcement', exact: true }).filter({ hasText: text });

async function acknowledge(person, text) {
  await shown(person.page, text).getByRole('button', { name: 'I have seen it', exact: true }).click();
  await shown(person.page, text).waitFor({ state: 'hidden' });
}

/** What a listener has got of the administrator's voice: packets, energy, and by which way. */
const heard = (person) =>
  person.page.evaluate(async () => {
    const stats = [...((await window.fieldphone.attention?.getStats())?.values() ?? [])];
    const sound = stats.find((s) => s.type === 'inbound-rtp' && s.kind === 'audio');
    const sent = stats.filter((s) => s.type === 'outbound-rtp').reduce((sum, s) => sum + (s.packetsSent ?? 0), 0);
    const transport = stats.find((s) => s.type === 'transport' && s.selectedCandidatePairId);
    const pair = stats.find((s) => s.id === transport?.selectedCandidatePairId);
    const local = stats.find((s) => s.id === pair?.localCandidateId)?.candidateType;
    return { packets: sound?.packetsReceived ?? 0, energy: sound?.totalAudioEnergy ?? 0, sent, local };
  });

async function hears(person) {
  const first = await until(`${person.name} gets the voice`, () => heard(person), ({ packets }) => packets > 0, hearMs);
  return until(`${person.name} hears the voice`, () => heard(person), ({ packets, energy }) => packets > first.packets + 50 && energy > first.energy + 0.001, hearMs);
}

const banner = (person) => person.page.getByRole('alert', { name: 'Somebody speaks to everybody', exact: true });

export default [
  {
    name: 'announce',
    about: 'an announcement stands above a running call and waits for who comes later; seen on one device it goes from the other',
    async run(lab) {
      await lab.configure({ FIELDPHONE_ANNOUNCEMENTS_KEEP: '24h' });
      const admin = await lab.administrator('a2');
      const call = await connect(...(await lab.people('a1', 'p1')));
      await section(admin);
      const text = 'Leave the north tents now.';
      await announce(admin, text);
      const since = Date.now();
      await Promise.all([call.caller, call.callee].map((each) => shown(each.page, text).waitFor({ timeout: tellMs })));
      const shownAfterMs = Date.now() - since;
      const second = await call.caller.page.context().newPage();
      await second.goto(call.caller.page.url());
      await shown(second, text).waitFor();
      await acknowledge(call.caller, text);
      await shown(second, text).waitFor({ state: 'hidden', timeout: tellMs });
      await second.close();
      await alive(call.caller);
      await admin.reads(/1 of \d+ have seen it/); // others have been here before
      const late = await lab.person('b1');
      await acknowledge(late, text);
      await admin.reads(/2 of \d+ have seen it/);
      await acknowledge(call.callee, text);
      await admin.reads(/3 of \d+ have seen it|Everybody has seen it/);
      await call.caller.hangUp();
      return { ...summary(call), shownAfterMs };
    },
  },
  {
    name: 'attention',
    about: 'an administrator speaks; listeners in another segment and behind a hotspot hear it, and their call goes on after it',
    async run(lab) {
      const admin = await lab.administrator('a2');
      const call = await connect(...(await lab.people('b1', 'p1')));
      await section(admin);
      await admin.button('Speak to everybody').click();
      const since = Date.now();
      const listeners = [call.caller, call.callee];
      await Promise.all(listeners.map((each) => banner(each).waitFor({ timeout: tellMs })));
      const got = await Promise.all(listeners.map(hears));
      const heardAfterMs = Date.now() - since;
      for (const { sent } of got) assert.equal(sent, 0, 'a listener sends nothing');
      await admin.reads(/devices listen/);
      await admin.button('Hang up').click();
      await Promise.all(listeners.map((each) => banner(each).waitFor({ state: 'hidden', timeout: tellMs })));
      await Promise.all(listeners.map((each) => alive(each)));
      await admin.reads(/2 of \d+ listened/);
      await call.caller.hangUp();
      return { ...summary(call), heardAfterMs, ways: got.map(({ local }) => local).join(' ') };
    },
  },
];
