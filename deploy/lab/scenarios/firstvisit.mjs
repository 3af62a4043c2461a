// From a bare device to a first call, by the start page, as somebody who has never been here.
import assert from 'node:assert/strict';
import { connect, summary } from '../call.mjs';

const state = (person, name) => person.page.locator(`#check [data-state=${name}]`);

/** Presses what the start page says, and what the browser then really shows. */
async function acceptTheWarning(person) {
  const { page } = person;
  const said = await page.locator('section', { hasText: 'Quick start' }).locator('b').allTextContents();
  await page.getByRole('link', { name: 'Open Fieldphone' }).click();
  const warning = page.locator('#main-message h1');
  await warning.waitFor();
  const words = [(await warning.textContent()).trim()];
  for (const id of ['details-button', 'proceed-link']) {
    const next = page.locator(`#${id}`);
    words.push((await next.textContent()).trim());
    await next.click();
  }
  assert.deepEqual(said.slice(0, 3), words, 'what the start page says the browser shows');
  await person.box('User ID').waitFor();
}

export default [
  {
    name: 'quick-start',
    about: 'from the start page over the warning, accepted once, to decoded video',
    async run(lab) {
      const a2 = await lab.person('a2');
      const began = Date.now();
      const a1 = await lab.newcomer('a1');
      await a1.page.goto(lab.startPage('a1'));
      await state(a1, 'untrusted').waitFor();
      assert.equal(await a1.page.locator('#clock').isVisible(), false, 'the clock is right, and the page says it is not');
      await acceptTheWarning(a1);
      await a1.signUp();
      const call = await connect(a1, a2);
      return { ...summary(call), fromStartPage: (Date.now() - began) / 1000 };
    },
  },
  {
    name: 'start-page-goes-on',
    about: 'the start page hands an invite on, sees that the warning was accepted in another tab, and goes on by itself',
    async run(lab) {
      const a1 = await lab.newcomer('a1');
      await a1.page.goto(`${lab.startPage('a1')}#join=CODE`);
      await state(a1, 'untrusted').waitFor();
      assert.equal(await a1.page.getByRole('link', { name: 'Open Fieldphone' }).getAttribute('href'), `${a1.origin}/?lang=en#join=CODE`);
      await a1.page.goto('about:blank');
      await a1.page.goto(lab.startPage('a1'));
      await state(a1, 'untrusted').waitFor();
      const second = await a1.page.context().newPage();
      await second.goto(lab.startPage('a1'));
      const first = a1.page;
      a1.page = second;
      await acceptTheWarning(a1);
      await first.waitForURL(`${a1.origin}/*`);
      await first.getByRole('textbox', { name: 'User ID', exact: true }).waitFor();
    },
  },
  {
    name: 'trusted-start',
    about: 'a device that trusts the CA is led on from the start page, unless it wants to stay, and calls',
    async run(lab) {
      const [a1, a2] = await Promise.all([lab.visitor('a1'), lab.person('a2')]);
      await a1.page.goto(`${lab.startPage('a1')}&stay=1`);
      await state(a1, 'ready').waitFor();
      const began = Date.now();
      await a1.page.goto(lab.startPage('a1'));
      await state(a1, 'trusted').waitFor();
      await a1.page.waitForURL(`${a1.origin}/*`);
      await a1.signUp();
      const call = await connect(a1, a2);
      return { ...summary(call), fromStartPage: (Date.now() - began) / 1000 };
    },
  },
  {
    name: 'wrong-clock',
    about: 'the start page says how wrong the device\'s clock is',
    async run(lab) {
      const a1 = await lab.newcomer('a1');
      await a1.page.clock.install({ time: Date.now() - (3 * 60 + 12) * 60_000 });
      await a1.page.goto(lab.startPage('a1'));
      await a1.page.getByText('The clock of this device is 3 h 12 min behind the server\'s.').waitFor();
      await a1.page.clock.setSystemTime(Date.now() + 49.5 * 3600_000);
      await a1.page.goto(lab.startPage('a1'));
      await a1.page.getByText('The clock of this device is 2 d 1 h ahead of the server\'s.').waitFor();
    },
  },
  {
    name: 'without-javascript',
    about: 'the start page says all it has to say without JavaScript, also of a code of another server',
    async run(lab) {
      const a1 = await lab.newcomer('a1', { javaScriptEnabled: false });
      await a1.page.goto(`${lab.startPage('a1')}&ca=0123456789`);
      await a1.page.getByText('This code was made for another server.').waitFor();
      for (const device of ['iPhone, iPad', 'Android', 'Windows']) {
        await a1.page.getByRole('link', { name: device, exact: true }).click();
        await a1.page.getByRole('heading', { name: `Full set-up ${device}` }).waitFor();
      }
      assert.equal(await a1.page.getByRole('status').isVisible(), false, 'a check that never ends is shown');
    },
  },
];
