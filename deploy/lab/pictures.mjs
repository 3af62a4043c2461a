// The README's pictures: a real call in the lab, on a desktop and on a phone behind a
// hotspot, through the relay, and the dashboard meanwhile.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { assertRelayed, connect } from './call.mjs';
import { ada, ben, film } from './portrait.mjs';

const desktop = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

export async function takePictures(lab, folder) {
  mkdirSync(folder, { recursive: true });
  const films = await drawFilms(lab);
  const [left, right] = await Promise.all([
    lab.person('a1', { id: 'ada', name: 'Ada', camera: films.ada, ...desktop }),
    lab.person('p1', { id: 'ben', name: 'Ben', camera: films.ben, ...phone }),
  ]);
  lab.block();
  await left.sees(right);
  await left.write(right, 'Are you at the north gate? I see your hotspot is up.');
  await right.write(left, 'Yes. Call me, I will show you.');
  await left.reads('Yes. Call me, I will show you.');
  await right.button('Back').click();
  const call = await connect(left, right);
  await assertRelayed(call);
  await Promise.all([left.reads('0:05'), right.reads('0:05')]); // by then the picture is sharp
  for (const [name, { page }] of Object.entries({ desktop: left, phone: right })) {
    const path = join(folder, `${name}.png`);
    await page.screenshot({ path });
    console.log(path);
  }
  await dashboard(lab, folder);
}

/** The dashboard's sections, on a computer by day and on a phone by night. */
async function dashboard(lab, folder) {
  for (const [name, options] of Object.entries({ desktop: desktop, phone: { ...phone, colorScheme: 'dark' } })) {
    const { page, origin } = await lab.administrator('a2', options);
    for (const section of ['overview', 'calls', 'relay', 'segments', 'path-test']) {
      await page.goto(`${origin}/admin/${section}?lang=en`);
      await page.getByText('Live', { exact: true }).waitFor();
      const test = page.getByRole('button', { name: 'Test all pairs', exact: true });
      if (section === 'path-test') {
        await test.click();
        await page.getByRole('table').first().waitFor({ timeout: 60_000 });
        await page.locator('section[aria-busy=false]').waitFor({ timeout: 60_000 });
      }
      const path = join(folder, `admin-${section}-${name}.png`);
      await page.screenshot({ path });
      console.log(path);
    }
    await page.context().close();
  }
}

/** Draws what the cameras will show. */
async function drawFilms(lab) {
  const context = await lab.browsers.context('a2', 'https://lab.invalid', { permissions: [] });
  const page = await context.newPage();
  const file = (name) => join(lab.topology.dir, `${name}.mjpeg`);
  const films = { ada: await film(page, ada, file('ada')), ben: await film(page, ben, file('ben')) };
  await context.close();
  return films;
}
