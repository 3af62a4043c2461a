// The page as an app: it opens without the server, where its certificate is trusted.
import { until } from '../wait.mjs';

const worker = () => navigator.serviceWorker.getRegistration().then((r) => r?.active?.state ?? null);

export default [
  {
    name: 'opens-offline',
    about: 'the page opens while the server is away, says so, and goes on when it is back',
    async run(lab) {
      const a1 = await lab.person('a1');
      if (lab.trust === 'ignore') {
        const problems = await until('the page noted why it cannot be kept', () => a1.page.evaluate(() => window.fieldphone.problems), (p) => p.length > 0, 10_000);
        if (!problems.some((p) => p.includes('service worker'))) throw new Error(problems.join('\n'));
        return undefined;
      }
      await until('the page is kept', () => a1.page.evaluate(worker), (state) => state === 'activated', 10_000);
      const manifest = await a1.page.evaluate(async () => (await fetch(document.querySelector('link[rel=manifest]').href)).json());
      for (const icon of manifest.icons) {
        const type = await a1.page.evaluate(async (src) => (await fetch(src)).headers.get('content-type'), icon.src);
        if (!type?.startsWith(icon.type)) throw new Error(`${icon.src} is ${type}`);
      }
      await until('its parts are kept', () => a1.page.evaluate(async () => (await (await caches.open('fieldphone-shell')).keys()).length), (kept) => kept > 20, 10_000);
      await lab.server.stop();
      await a1.page.reload();
      await a1.reads('out of reach');
      // What is loaded on demand comes without the server too.
      const parts = await a1.page.evaluate(async () => {
        const paths = (await (await caches.open('fieldphone-shell')).keys()).map(({ url }) => new URL(url).pathname);
        const wanted = paths.filter((path) => /^\/assets\/(InviteDialog|EchoCall|ChatSearch|AccountDialog)-.*\.js$/.test(path));
        await Promise.all(wanted.map((path) => import(path)));
        return wanted.length;
      });
      if (parts !== 4) throw new Error(`${parts} of four parts are kept`);
      await lab.server.start();
      await a1.button('Sign out').waitFor();
      return undefined;
    },
  },
];
