// Remembers which CA a site had when a person compared it, and which site was opened last.
import { X509Certificate } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

export class Known {
  #file;
  #state = { last: null, sites: {} };

  /** Throws an Error 'damaged' if the file is there and cannot be read. */
  constructor(file) {
    this.#file = file;
    let text;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      if (error.code === 'ENOENT') return;
      throw new Error('damaged', { cause: error });
    }
    try {
      this.#state = check(JSON.parse(text));
    } catch (cause) {
      throw new Error('damaged', { cause });
    }
  }

  get last() {
    return this.#state.last;
  }

  ca(origin) {
    const pem = Object.hasOwn(this.#state.sites, origin) ? this.#state.sites[origin] : null;
    return pem && new X509Certificate(pem);
  }

  remember(origin, ca) {
    this.#state.sites[origin] = ca.toString();
    this.#state.last = origin;
    const fresh = `${this.#file}.new`;
    writeFileSync(fresh, JSON.stringify(this.#state, null, 2), { mode: 0o600 });
    renameSync(fresh, this.#file);
  }
}

function check(state) {
  for (const [origin, pem] of Object.entries(state.sites)) {
    if (new URL(origin).origin !== origin) throw new Error(`no origin: ${origin}`);
    new X509Certificate(pem);
  }
  if (state.last !== null && !Object.hasOwn(state.sites, state.last)) throw new Error('the last site is not among them');
  return { last: state.last, sites: { ...state.sites } };
}
