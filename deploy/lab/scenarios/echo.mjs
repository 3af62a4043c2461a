// One person alone tries a call: the server sends sound and picture back.
import assert from 'node:assert/strict';
import { alive } from '../call.mjs';

const echo = { name: 'Echo test' };
const testMs = 45_000;

/**
 * Somebody calls the echo, sees and hears themselves, and reads what the test found: while
 * the call goes on, and when it is over. want: what each thing must say.
 */
function tried(name, about, at, want, { block = false, headline = 'Calls from here will work.', ...options } = {}) {
  return {
    name,
    about,
    async run(lab) {
      if (block) lab.block();
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
    assert.match(line, text, `what is said of ${item}`);
  }
}

const media = {
  Microphone: /It picks up sound\./,
  Camera: /It gives a picture\./,
  'Returned sound': /It came back\./,
  'Returned picture': /It came back: others can see you\./,
};
const both = { ...media, 'Direct way': /It works\..* ms/s, 'Through the relay': /It works, over UDP\..* ms/s };
const one = { ...media, 'Direct way': /calls go through the relay/, 'Through the relay': /It works, but only over T(CP|LS):.* ms/s };

export default [
  tried('echo', 'the echo test, directly and through the relay', 'a1', both),
  tried('echo-blocked', 'the echo test from the next segment, while the router lets nothing but the server through', 'b1', both, { block: true }),
  tried('echo-nat', 'the echo test of a phone behind symmetric NAT', 'p1', both),
  tried('echo-locked', 'the echo test from the locked segment, where only the HTTPS port of the server is left', 'l1', one),
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
