// From a segment where one TCP port of the server is all there is.
import { assertDirect, assertRelayed, connect, summary } from '../call.mjs';

/** A call between two people, whatever browser they have. */
function call(name, about, from, to, assertPath = assertRelayed) {
  return {
    name,
    about,
    async run(lab) {
      const people = await Promise.all([from, to].map(({ at, ...options }) => lab.person(at, options)));
      const made = await connect(...people);
      await assertPath(made);
      return summary(made);
    },
  };
}

const locked = { at: 'l1' };
const lockedFirefox = { at: 'l1', browser: 'firefox' };

export default [
  call('firefox', 'a Firefox calls a Chromium of the next segment', { at: 'a1', browser: 'firefox' }, { at: 'b1' }, assertDirect),
  call('locked-out', 'a call out of the locked segment', locked, { at: 'a1' }),
  call('locked-in', 'a call into the locked segment', { at: 'b1' }, locked),
  call('locked-both', 'both ends in the locked segment, who reach each other', { at: 'l2' }, locked, assertDirect),
  call('locked-firefox-out', 'a Firefox calls out of the locked segment', lockedFirefox, { at: 'a1' }),
  call('locked-firefox-in', 'a Firefox in the locked segment is called', { at: 'a1' }, lockedFirefox),
];
