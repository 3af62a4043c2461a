// One person alone tries a call: the server sends sound and picture back.
import assert from 'node:assert/strict';
import { alive } from '../call.mjs';
import { serverFor } from '../plan.mjs';

const echo = { name: 'Echo test' };
const testMs = 45_000;

/**
 * Somebody calls the echo, sees and hears themselves, and reads what the test found: while
 * the call goes on, and when it is over. want: what each thing must say.
 */
function tried(name, about, at, want, { prepare = () => {}, headline = 'Calls from here will work.', after = 'Test again', ...options } = {}) {
  return {
    name,
    about,
    async run(lab) {
      await prepare(lab);
      const person = await lab.person(at, options);
      await person.sees(echo);
      await person.call(echo);
      await alive(person);
      const result = person.page.getByRole('region', { name: 'Echo test result', exact: true });
      await result.waitFor({ timeout: testMs });
      await alive(person);
      await reads(result, headline, want);
      await person.hangUp();
      await person.isFree();
      await reads(result, headline, want);
      await person.button(after).waitFor();
      await person.button('Close').click();
      await result.waitFor({ state: 'hidden' });
    },
  };
}

async function reads(result, headline, want) {
  const said = await result.innerText();
  assert.ok(said.includes(headline), `the result says:\n${said}`);
  for (const [item, text] of Object.entries(want)) {
    const line = await result.getByRole('listitem', { name: item, exact: true }).innerText();
    assert.match(line, text, `${item}: ${line}`);
  }
}

const media = {
  Microphone: /It picks up sound\./,
  Camera: /It gives a picture\./,
  'Returned sound': /It came back\./,
  'Returned picture': /It came back: others can see you\./,
};
const both = { ...media, 'Direct way': /It works\..*\sms/s, 'Through the relay': /It works, over UDP\..*\sms/s };
const one = { ...media, 'Direct way': /calls go through the relay/, 'Through the relay': /It works, but only over T(CP|LS):.*\sms/s };
const direct = { ...both, 'Through the relay': /It did not connect within 10 seconds\./ };

/** Nothing is left of the relay but its relay ports, which the echo answers on. */
async function shutRelay(lab) {
  await lab.configure({ FIELDPHONE_TURN_ON_HTTPS_PORT: 'false' });
  lab.shut('meta l4proto { tcp, udp } th dport 3478');
}

export default [
  tried('echo', 'the echo test, directly and through the relay', 'a1', both),
  tried('echo-blocked', 'the echo test from the next segment, while the router lets nothing but the server through', 'b1', both, { prepare: (lab) => lab.block() }),
  tried('echo-nat', 'the echo test of a phone behind symmetric NAT', 'p1', both),
  tried('echo-locked', 'the echo test from the locked segment, where only the HTTPS port of the server is left', 'l1', one),
  tried('echo-no-relay', 'the echo test past a router that lets nobody ask the relay', 'b1', direct, {
    prepare: shutRelay, server: serverFor('a1'), headline: 'Only the direct way works.', after: 'Test my connection',
  }),
  tried('echo-firefox', 'the echo test in Firefox', 'a1', both, { browser: 'firefox' }),
  {
    name: 'echo-text',
    about: 'a text to the echo comes back',
    async run(lab) {
      const person = await lab.person('a1');
      await person.sees(echo);
      await person.write(echo, 'is anybody there?');
      await person.page.locator('.theirs').getByText('is anybody there?').waitFor();
    },
  },
];
