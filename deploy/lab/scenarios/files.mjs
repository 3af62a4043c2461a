// Files, pictures and voice messages: from device to device and by way of the server, across cuts.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, openSync, closeSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { until } from '../wait.mjs';

const mega = 2 ** 20;
/** Large enough to be cut twice on its way, small enough for every run. */
const usualBytes = 48 * mega;
const bigBytes = 200 * mega;
const patienceMs = 120_000;
/** What may be sent again after a cut: parts under way, at the ends and in buffers between. */
const againBytes = 4 * mega;

/** A file of chance content, on the lab's own disk. */
function makeFile(lab, name, bytes) {
  const path = join(lab.topology.dir, name);
  const file = openSync(path, 'w');
  for (let left = bytes; left > 0; left -= mega) writeSync(file, randomBytes(Math.min(left, mega)));
  closeSync(file);
  return path;
}

async function sum(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function sendFile(person, other, ...paths) {
  await person.openText(other);
  await attach(person, ...paths);
}

async function attach(person, ...paths) {
  await person.page.locator('input[type="file"][multiple]').setInputFiles(paths);
  await person.page.getByRole('dialog').getByRole('button', { name: 'Send files', exact: true }).click();
}

const bubble = (person) => person.page.locator('.file').last();
const stands = (person) => bubble(person).locator('.file-state').textContent({ timeout: 2_000 }).catch(() => '');
const says = (person, word) => until(`${person.name} reads ${word}`, () => stands(person), (line) => line.includes(word), patienceMs);

/** How much has gone, in percent, as the bubble shows it. */
async function percent(person) {
  const bar = bubble(person).getByRole('progressbar');
  return Number(await bar.getAttribute('aria-valuenow', { timeout: 200 }).catch(() => 0));
}

const gone = (person, least) => until(`${least} % at ${person.name}`, () => percent(person), (now) => now >= least, patienceMs);

/** What the person saves is the very file. */
async function saves(person, path, name) {
  const [download] = await Promise.all([
    person.page.waitForEvent('download', { timeout: patienceMs }),
    person.page.getByRole('button', { name: `Save ${name}` }).click(),
  ]);
  assert.equal(download.suggestedFilename(), name);
  assert.equal(await sum(await download.path()), await sum(path), `what ${person.name} saved of ${name}`);
}

/** Carries on where it was, not from the beginning. */
function assertResumed(before, after, bytes, cut) {
  const lost = ((before - after) / 100) * bytes;
  assert.ok(after > 0 && lost <= againBytes, `after ${cut} it went on at ${after} %, before it was at ${before} %`);
}

/** From the first byte that was seen to arrive to the last, in MB/s. */
async function speed(person, bytes, word) {
  const from = await gone(person, 1);
  const began = performance.now();
  await says(person, word);
  return ((bytes / mega) * (1 - from / 100) * 1000) / (performance.now() - began);
}

/** The bytes of a picture that this browser draws. */
async function drawing(person) {
  const data = await person.page.evaluate(() => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [640, 480];
    const pen = canvas.getContext('2d');
    pen.fillStyle = '#2a7';
    pen.fillRect(0, 0, 640, 480);
    return canvas.toDataURL('image/png').split(',')[1];
  });
  return Buffer.from(data, 'base64');
}

/** How loud a voice message is that this page plays, and how long. */
const heard = (person) =>
  person.page.locator('.file.voice audio').last().evaluate(async (audio) => {
    const content = await (await fetch(audio.src)).arrayBuffer();
    const voice = await new AudioContext().decodeAudioData(content);
    const samples = voice.getChannelData(0);
    return { seconds: voice.duration, power: samples.reduce((all, each) => all + each * each, 0) / samples.length };
  });

export default [
  {
    name: 'file-direct',
    about: 'a file from device to device, across a reload and a walk to another hotspot',
    async run(lab) {
      const [a1, p1] = await lab.people('a1', 'p1');
      const path = makeFile(lab, 'plan of the camp.bin', usualBytes);
      await a1.sees(p1);
      await p1.openText(a1);
      await sendFile(a1, p1, path);
      const atReload = await gone(p1, 15);
      await p1.page.reload();
      await p1.openText(a1);
      const afterReload = await gone(p1, 1);
      assertResumed(atReload, afterReload, usualBytes, 'the reload');
      const atWalk = await gone(p1, Math.min(afterReload + 20, 70));
      await lab.roam(p1.place, 1_000);
      await says(p1, 'Waiting for the sender');
      const afterWalk = await gone(p1, 1);
      assertResumed(atWalk, afterWalk, usualBytes, 'the walk');
      await Promise.all([says(p1, 'Received, on this device'), says(a1, 'Sent from device to device')]);
      await saves(p1, path, 'plan of the camp.bin');
      return { note: `reload at ${atReload} %, on at ${afterReload} %; walk at ${atWalk} %, on at ${afterWalk} %` };
    },
  },
  {
    name: 'file-by-server',
    about: 'a file to somebody who is off, through SIGKILL of the server; fetched later, whole',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      const path = makeFile(lab, 'map.bin', usualBytes);
      await a1.sees(a2);
      await a2.signOut();
      const offsets = [];
      const midway = new Promise((resolve) => {
        a1.page.on('request', (request) => {
          if (request.method() !== 'PATCH') return;
          offsets.push(Number(request.headers()['upload-offset']));
          if (offsets.at(-1) > usualBytes / 3) resolve();
        });
      });
      await sendFile(a1, a2, path);
      await midway;
      await lab.server.kill();
      const atKill = offsets.at(-1);
      await lab.server.start();
      await says(a1, 'On the server');
      assert.ok(atKill < usualBytes, 'the server was killed too late');
      const again = offsets.filter((offset, i) => i > 0 && offset < offsets[i - 1]);
      for (const offset of again) assert.ok(offset >= atKill - againBytes, `went on at ${offset}, before it was at ${atKill}`);
      await a2.page.reload();
      await a2.signIn();
      await a2.openText(a1);
      await says(a2, 'On the server');
      await saves(a2, path, 'map.bin');
      return { note: `server killed at ${Math.floor((100 * atKill) / usualBytes)} %, ${offsets.length} chunks` };
    },
  },
  {
    name: 'file-cancelled',
    about: 'a file that its sender takes back goes away at both ends, and from the server',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      await a1.sees(a2);
      await a2.openText(a1);
      await sendFile(a1, a2, makeFile(lab, 'wrong.bin', usualBytes));
      await gone(a2, 5);
      await a1.button('Cancel wrong.bin').click();
      await a2.reads('This text was deleted');
      await a2.page.locator('.file').waitFor({ state: 'hidden' });
      await a1.write(a2, 'the right one follows');
      await a2.reads('the right one follows');
    },
  },
  {
    name: 'voice-and-pictures',
    about: 'a voice message is recorded, heard before and played; a picture is shown, a drawing that runs scripts is not',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2', { microphone: lab.speech });
      await a1.sees(a2);
      await Promise.all([a1.openText(a2), a2.openText(a1)]);
      await a1.button('Record a voice message').click();
      const clock = a1.page.locator('.voice-panel .voice-time');
      await until('two seconds are recorded', () => clock.textContent(), (text) => /0:0[2-9]/.test(text), 15_000);
      await a1.button('Stop recording').click();
      await a1.button('Play').first().click();
      await a1.button('Send voice message').click();
      const player = a2.page.locator('.file.voice');
      await player.getByRole('button', { name: 'Play' }).click();
      const audio = player.locator('audio');
      await until(`${a2.name} plays it`, () => audio.evaluate((each) => each.currentTime), (at) => at > 0.5, 10_000);
      const { seconds, power } = await heard(a2);
      assert.ok(seconds > 1.5 && seconds < 10, `the voice message is ${seconds} s long`);
      assert.ok(power > 1e-5, `nothing is heard in it: ${power}`);

      const photo = join(lab.topology.dir, 'tent.png');
      writeFileSync(photo, await drawing(a1));
      const hostile = join(lab.topology.dir, 'map.svg');
      writeFileSync(hostile, '<svg xmlns="http://www.w3.org/2000/svg" onload="top.svgRan=true"><script>top.svgRan=true</script></svg>');
      await attach(a1, photo, hostile);
      const shown = a2.page.locator('.file.picture img');
      await until('the picture is drawn', () => shown.evaluate((img) => img.naturalWidth), (width) => width === 640, 15_000);
      await says(a2, 'On the server');
      assert.equal(await a2.page.locator('.file img').count(), 1, 'only the photograph is shown as a picture');
      await saves(a2, hostile, 'map.svg');
      assert.equal(await a2.page.evaluate(() => window.svgRan), undefined, 'the drawing ran its script');
      return { note: `${seconds.toFixed(1)} s of voice` };
    },
  },
  {
    name: 'file-big',
    about: '200 MB direct, through the relay and by the server, with their speeds',
    only: true,
    async run(lab) {
      const path = makeFile(lab, 'big.bin', bigBytes);
      const figures = [];
      for (const query of ['', '&relay=1']) {
        const [a1, a2] = await lab.people('a1', 'a2', { query });
        await a1.sees(a2);
        await a2.openText(a1);
        await sendFile(a1, a2, path);
        figures.push(await speed(a2, bigBytes, 'Received, on this device'));
        await saves(a2, path, 'big.bin');
        await lab.leave();
      }
      const [a1, a2] = await lab.people('a1', 'a2');
      await a1.sees(a2);
      await a2.signOut();
      await sendFile(a1, a2, path);
      figures.push(await speed(a1, bigBytes, 'On the server'));
      await a2.page.reload();
      await a2.signIn();
      await a2.openText(a1);
      const began = performance.now();
      await saves(a2, path, 'big.bin');
      figures.push((bigBytes / mega / (performance.now() - began)) * 1000);
      const [direct, relay, up, down] = figures.map((each) => each.toFixed(1));
      return { note: `MB/s: ${direct} direct, ${relay} through the relay, ${up} to the server, ${down} from it`, figures };
    },
  },
];
