// Every screen in both themes and both languages, checked by axe-core.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from '../call.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds on the page as it is now, a line for each element. */
async function violations(page, screen) {
  await page.evaluate(axe); // by the debugger, which the page's CSP does not bind
  const found = await page.evaluate(async () => {
    const { violations: all } = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] });
    return all.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')}: ${n.failureSummary?.split('\n').slice(1).join('; ').trim()}`));
  });
  return found.map((line) => `${screen}: ${line}`);
}

const looks = [
  { name: 'desktop', viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  { name: 'phone', viewport: { width: 360, height: 740 }, colorScheme: 'dark', isMobile: true, hasTouch: true },
];

/** Emoji, search, groups and the list of chats. */
async function chatScreens(a1, b1, found) {
  await a1.button('Emoji').click();
  found.push(...(await violations(a1.page, 'emoji')));
  await a1.page.keyboard.press('Escape');
  await a1.button('Search in this chat').click();
  await a1.page.getByRole('searchbox', { name: 'Search in this chat' }).fill('tent');
  found.push(...(await violations(a1.page, 'search in a chat')));
  await a1.button('Chats').click();
  await a1.button('New group').click();
  await a1.page.getByRole('checkbox', { name: b1.name }).waitFor();
  found.push(...(await violations(a1.page, 'new group')));
  await a1.page.getByRole('textbox', { name: 'Name of the group' }).fill('Tent 4');
  await a1.page.getByRole('checkbox', { name: b1.name }).check();
  await a1.button('Make the group').click();
  await a1.button('About the group').click();
  await a1.page.getByRole('dialog').getByText('2 people').waitFor();
  found.push(...(await violations(a1.page, 'about the group')));
  await a1.page.keyboard.press('Escape');
  await a1.page.getByRole('searchbox', { name: 'Search chats and texts' }).fill('water');
  await a1.page.getByText('water at tent 4').first().waitFor();
  found.push(...(await violations(a1.page, 'chats and search')));
  await a1.button('People').click();
}

export default looks.map(({ name, ...options }) => ({
  name: `accessible-${name}`,
  about: `axe-core finds nothing on any screen, ${name}, ${options.colorScheme}`,
  async run(lab) {
    const found = [];
    const visitor = await lab.visitor('a2', options);
    found.push(...(await violations(visitor.page, 'start')));
    for (const device of ['android&with=firefox', 'ios', 'windows&ca=0123456789']) {
      await visitor.page.goto(`${lab.startPage('a2')}&stay=1&on=${device}`);
      found.push(...(await violations(visitor.page, `start page, ${device}`)));
    }

    const [a1, b1] = await Promise.all([lab.person('a1', options), lab.person('b1')]);
    await a1.sees(b1);
    found.push(...(await violations(a1.page, 'roster')));
    await a1.button('Your account').click();
    found.push(...(await violations(a1.page, 'account')));
    await a1.page.keyboard.press('Escape');
    await b1.write(a1, 'water at tent 4');
    await a1.openText(b1);
    await a1.reads('water at tent 4');
    found.push(...(await violations(a1.page, 'texts')));
    if (name === 'phone') await a1.page.goBack();
    else await chatScreens(a1, b1, found);

    await b1.call(a1);
    await a1.ringing.waitFor();
    found.push(...(await violations(a1.page, 'incoming call')));
    await a1.decline();
    await b1.isFree();
    const call = await connect(a1, b1);
    found.push(...(await violations(a1.page, 'call')));
    if (name === 'desktop') {
      await a1.button('Hold').click();
      await a1.button('Resume').waitFor();
      found.push(...(await violations(a1.page, 'call on hold')));
      await a1.button('Resume').click();
    }
    await call.callee.hangUp();
    await a1.isFree();
    found.push(...(await violations(a1.page, 'ended')));
    await a1.button('Close').click();

    await a1.call({ name: 'Echo test' });
    await a1.reads('Say something: it comes back a second later.');
    found.push(...(await violations(a1.page, 'echo test')));
    const result = a1.page.getByRole('region', { name: 'Echo test result', exact: true });
    await result.waitFor({ timeout: 45_000 });
    found.push(...(await violations(a1.page, 'echo test result')));
    await a1.hangUp();
    await a1.button('Test again').waitFor();
    found.push(...(await violations(a1.page, 'after the echo test')));
    if (found.length > 0) throw new Error(found.join('\n'));
  },
}));
