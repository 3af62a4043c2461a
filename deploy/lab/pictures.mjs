// The README's pictures: a real call in the lab, on a desktop and on a phone.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from './call.mjs';

const desktop = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

export async function takePictures(lab, folder) {
  mkdirSync(folder, { recursive: true });
  const [computer, mobile] = await Promise.all([lab.person('a1', desktop), lab.person('b1', phone)]);
  await connect(computer, mobile);
  for (const [name, { page }] of Object.entries({ desktop: computer, phone: mobile })) {
    const path = join(folder, `${name}.png`);
    await page.screenshot({ path });
    console.log(path);
  }
}
