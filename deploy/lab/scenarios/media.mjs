// What people do with sound and picture: compare words, look at the quality, change devices, record.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { alive, connect, summary } from '../call.mjs';
import { until } from '../wait.mjs';

/** Opens a dialog of the call, takes what it says and closes it again. */
async function said(person, open, name, read) {
  await person.page.getByRole('button', { name: open }).click();
  const dialog = person.page.getByRole('dialog', { name, exact: true });
  const told = await read(dialog);
  await dialog.getByRole('button', { name: 'Close', exact: true }).click();
  return told;
}

const words = (person) =>
  said(person, 'Encryption', 'Is anybody listening in?', async (dialog) => {
    const group = (name) => dialog.getByRole('group', { name, exact: true }).innerText();
    return { words: (await group('Words')).split(/\s+/), digits: (await group('Digits')).replace(/\s/g, '') };
  });

async function sameWords(one, other) {
  const [mine, theirs] = await Promise.all([words(one), words(other)]);
  assert.deepEqual(mine, theirs);
  assert.equal(mine.words.length, 4);
  assert.match(mine.digits, /^\d{6}$/);
  return mine;
}

/** What goes out of the microphone's sender. Runs inside the page. */
function sending() {
  const track = window.fieldphone.pc.getSenders().find((sender) => sender.track?.kind === 'audio')?.track;
  return track ? { device: track.getSettings().deviceId, on: track.enabled } : null;
}

/** Chooses another microphone than the present one, in the call. */
async function changeMicrophone(person) {
  const before = await person.page.evaluate(sending);
  await person.button('More').click();
  await said(person, 'Sound and camera', 'Sound and camera', async (dialog) => {
    const list = dialog.getByRole('combobox', { name: 'Microphone', exact: true });
    const ids = await until('microphones are listed', () => list.locator('option').evaluateAll((all) => all.map((o) => o.value)), (v) => v.length > 2, 5_000);
    await list.selectOption(ids.find((id) => id !== '' && id !== before.device));
    await until('another microphone is sent', () => person.page.evaluate(sending), (s) => s && s.device !== before.device, 5_000);
  });
  return person.page.evaluate(sending);
}

async function ask(person) {
  await person.button('More').click();
  await person.button('Record the call').click();
}

/** Saves the recording as a person does; returns the file's bytes. */
async function save(person) {
  const region = person.page.getByRole('region', { name: 'Recordings', exact: true });
  await region.waitFor();
  const [download] = await Promise.all([person.page.waitForEvent('download'), region.getByRole('button', { name: 'Save', exact: true }).click()]);
  assert.match(download.suggestedFilename(), /^call-\d{4}-\d\d-\d\d-\d{4}-.*\.webm$/);
  return readFileSync(await download.path());
}

/** Plays a file as any player would. Runs inside the page. */
async function play(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const video = document.createElement('video');
  video.muted = true;
  video.src = URL.createObjectURL(new Blob([bytes], { type: 'video/webm' }));
  await new Promise((resolve, reject) => {
    video.onloadeddata = resolve;
    video.onerror = () => reject(new Error(video.error.message));
  });
  const sound = await new AudioContext().decodeAudioData(bytes.buffer.slice(0));
  const loudest = sound.getChannelData(0).reduce((most, s) => Math.max(most, Math.abs(s)), 0);
  return { width: video.videoWidth, height: video.videoHeight, seconds: sound.duration, loudest };
}

export default [
  {
    name: 'compare-words',
    about: 'both see the same words to compare, and other ones in the next call',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      const call = await connect(a1, a2);
      const first = await sameWords(a1, a2);
      await a1.hangUp();
      await Promise.all([a1.isFree(), a2.isFree()]);
      await connect(a2, a1);
      assert.notDeepEqual(await sameWords(a2, a1), first);
      return summary(call);
    },
  },
  {
    name: 'devices-quality',
    about: 'the quality in figures; another microphone in the call, and muted stays muted',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      const call = await connect(a1, a2);
      await a1.page.getByRole('button', { name: /^Call quality/ }).waitFor();
      const figures = await said(a1, /^Call quality/, 'Call quality', (dialog) => dialog.innerText());
      for (const figure of [/\d+ kbit\/s/, /\d+×\d+, \d+ fps/, /opus/, /Direct, over UDP/]) assert.match(figures, figure);
      assert.equal((await changeMicrophone(a1)).on, true);
      await alive(a2);
      await a1.button('Mute').click();
      assert.equal((await changeMicrophone(a1)).on, false);
      await a2.reads(`${a1.name} is muted`);
      return summary(call);
    },
  },
  {
    name: 'record',
    about: 'a call is recorded after the other one agreed, until the other one stops it',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      const call = await connect(a1, a2);
      await ask(a1);
      await a2.button('Allow recording').click();
      await Promise.all([a1, a2].map((side) => side.button('Stop recording').waitFor()));
      const { frames } = await a1.stats();
      await until('some seconds are recorded', () => a1.stats(), (s) => s.frames > frames + 40, 20_000);
      await a2.button('Stop recording').click();
      await a1.reads(`${a2.name} ended the recording.`);
      await Promise.all([a1, a2].map((side) => side.button('Stop recording').waitFor({ state: 'hidden' })));
      const file = await save(a1);
      const played = await a1.page.evaluate(play, file.toString('base64'));
      assert.ok(played.width > 100 && played.height > 100, JSON.stringify(played));
      assert.ok(played.seconds > 1 && played.loudest > 0.01, JSON.stringify(played));
      await Promise.all([alive(a1), alive(a2)]);
      return summary(call);
    },
  },
  {
    name: 'record-refused',
    about: 'nothing is recorded when the other one does not agree',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      const call = await connect(a1, a2);
      await ask(a1);
      await a2.button('Do not allow').click();
      await a1.reads(`${a2.name} does not want to be recorded.`);
      await a1.hangUp();
      await a1.isFree();
      assert.equal(await a1.page.getByRole('region', { name: 'Recordings' }).count(), 0);
      return summary(call);
    },
  },
];
