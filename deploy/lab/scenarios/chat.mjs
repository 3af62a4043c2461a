// Texts that are kept: for the absent, through a server that dies, on several devices, in groups.
import assert from 'node:assert/strict';
import { until } from '../wait.mjs';

const patienceMs = 20_000;

/** The bodies of the texts in the open conversation, oldest first. */
const bodies = (person) => person.page.locator('.log .bubble').allInnerTexts();

/** How far the person's own text got, in the word that a screen reader says. */
const progress = (person, text) => person.page.locator('.row', { hasText: text }).getByRole('img').getAttribute('aria-label');

const gets = (person, want) =>
  until(`${person.name} reads ${want.join(', ')}`, () => bodies(person), (got) => JSON.stringify(got) === JSON.stringify(want), patienceMs);

const gotFar = (person, text, word) => until(`${text} is ${word}`, () => progress(person, text), (got) => got === word, patienceMs);

async function reload(person) {
  await person.page.reload();
  await person.button('Sign out').waitFor();
}

async function say(person, text) {
  await person.box('Message').fill(text);
  await person.button('Send').click();
}

const unread = (person) => person.page.title().then((title) => Number(/^\((\d+)\)/.exec(title)?.[1] ?? 0));
const hasUnread = (person, want) => until(`${person.name} has ${want} unread`, () => unread(person), (got) => got === want, patienceMs);

/** One item of a message's menu. */
async function choose(person, text, ...items) {
  const row = person.page.locator('.row', { hasText: text });
  await row.hover();
  await row.getByRole('button', { name: 'More about this message' }).click();
  for (const item of items) await person.page.getByRole('menuitem', { name: item, exact: true }).click();
}

export default [
  {
    name: 'text-absent',
    about: 'texts to somebody who is off arrive once when they come back, also through SIGKILL of the server',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      await a1.sees(a2);
      await a2.signOut();
      await a1.write(a2, 'water at tent 4');
      await say(a1, 'bring two cans');
      await gotFar(a1, 'bring two cans', 'sent');
      await lab.server.kill();
      await lab.server.start();
      await a2.page.reload();
      await a2.signIn();
      await hasUnread(a2, 2);
      await gotFar(a1, 'bring two cans', 'delivered');
      await a2.openText(a1);
      await gets(a2, ['water at tent 4', 'bring two cans']);
      await gotFar(a1, 'bring two cans', 'read');
      await hasUnread(a2, 0);
      await reload(a2);
      await a2.openText(a1);
      await gets(a2, ['water at tent 4', 'bring two cans']);
    },
  },
  {
    name: 'text-killed',
    about: 'what was acknowledged is there after SIGKILL in the middle of writing, and nothing twice',
    async run(lab) {
      const [a1, b1] = await lab.people('a1', 'b1');
      await a1.sees(b1);
      await Promise.all([a1.openText(b1), b1.openText(a1)]);
      const wrote = [];
      for (let round = 0; round < 3; round += 1) {
        for (let i = 0; i < 6; i += 1) {
          wrote.push(`round ${round} text ${i}`);
          await say(a1, wrote.at(-1));
          if (i === 3) await lab.server.kill();
        }
        await lab.server.start();
        await gotFar(a1, wrote.at(-1), 'read');
      }
      await Promise.all([gets(a1, wrote), gets(b1, wrote)]);
      await reload(b1);
      await b1.openText(a1);
      await gets(b1, wrote);
      return `${wrote.length} texts through 3 SIGKILLs`;
    },
  },
  {
    name: 'text-outbox',
    about: 'what is written while the server is down waits on the device, also through a reload, and goes in order',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      await a1.sees(a2);
      await a1.openText(a2);
      await lab.server.kill();
      await say(a1, 'first');
      await say(a1, 'second');
      await gotFar(a1, 'second', 'waiting');
      // The page itself comes from the device's own store while the server is away.
      await a1.page.reload().catch(() => {});
      await lab.server.start();
      if ((await a1.button('Sign out').count()) === 0) await reload(a1);
      await a2.openText(a1);
      await gets(a2, ['first', 'second']);
      await a1.openText(a2);
      await gets(a1, ['first', 'second']);
    },
  },
  {
    name: 'text-devices',
    about: 'two devices of one person stay in step: texts, marks, edits and deletions',
    async run(lab) {
      const [a1, a2] = await lab.people('a1', 'a2');
      const phone = await lab.person('a1', { as: a1 });
      await a2.sees(a1);
      await a2.write(a1, 'one');
      await Promise.all([hasUnread(a1, 1), hasUnread(phone, 1)]);
      await phone.openText(a2);
      await Promise.all([hasUnread(phone, 0), hasUnread(a1, 0)]);
      await say(phone, 'from the phone');
      await a1.openText(a2);
      await gets(a1, ['one', 'from the phone']);
      await choose(phone, 'from the phone', 'Edit');
      await phone.box('Message').fill('from my phone');
      await phone.button('Save the change').click();
      await Promise.all([a1, a2, phone].map((person) => gets(person, ['one', 'from my phone'])));
      await a2.reads('edited');
      await choose(a1, 'from my phone', 'Delete', 'Delete for everybody');
      await a2.reads('This text was deleted');
      await phone.reads('You deleted this text');
    },
  },
  {
    name: 'text-group',
    about: 'a group of three: made, written to, one added, one leaves, with marks',
    async run(lab) {
      const [a1, a2, b1] = await lab.people('a1', 'a2', 'b1');
      await Promise.all([a1.sees(a2), a1.sees(b1)]);
      await a1.button('Chats').click();
      await a1.button('New group').click();
      await a1.box('Name of the group').fill('Tent 4');
      await a1.page.getByRole('checkbox', { name: a2.name }).check();
      await a1.button('Make the group').click();
      await say(a1, 'hello two');
      await a2.page.getByRole('button', { name: /^Chats/ }).click();
      await a2.button('Open Tent 4').click();
      await a2.reads('hello two');
      await gotFar(a1, 'hello two', 'read');
      await a1.button('About the group').click();
      await a1.button('Add people').click();
      await a1.page.getByRole('checkbox', { name: b1.name }).check();
      await a1.button('Add').click();
      await a1.page.getByRole('dialog').getByText('3 people').waitFor();
      await a1.page.keyboard.press('Escape');
      await a2.reads(`${a1.name}`);
      await b1.page.getByRole('button', { name: /^Chats/ }).click();
      await b1.button('Open Tent 4').click();
      await say(b1, 'hello from three');
      await Promise.all([a1.reads('hello from three'), a2.reads('hello from three')]);
      await gotFar(b1, 'hello from three', 'read');
      await b1.button('About the group').click();
      await b1.button('Leave the group').click();
      await b1.page.getByRole('dialog').getByRole('button', { name: 'Leave the group' }).click();
      await b1.reads('You are not in this group any more');
      await say(a1, 'only two again');
      await a2.reads('only two again');
      assert.ok(!(await bodies(b1)).includes('only two again'), 'who left reads on');
    },
  },
];
