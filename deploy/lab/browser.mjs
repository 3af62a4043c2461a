// Real browsers, each inside a place of the network.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, firefox } from 'playwright-core';
import { bridge } from './bridge.mjs';
import * as netns from './netns.mjs';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream=fps=10',
];

/** Firefox as it comes, over WebDriver BiDi: a camera and a microphone of its own, and leave to use them. */
const firefoxPrefs = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
};

/** The lab ends browsers itself when a signal ends it. */
const ours = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };

/** How many Chromiums run at a time; each costs a third of a core while it is in a call. */
const maxBrowsers = 3;

/**
 * Keeps one Chromium per place and starts it when it is first needed. Every person gets a
 * browser context of their own, which shares nothing with the last one's.
 */
export class Browsers {
  #running = new Map(); // place -> Browser, the one used last at the end

  /** trust: 'nss' puts the CA into Chromium's store, 'ignore' clicks every warning away. */
  constructor(topology, caFile, trust) {
    this.topology = topology;
    this.caFile = caFile;
    this.trust = trust;
  }

  /**
   * A fresh context in a place, where origin has the permissions that somebody gave it.
   * camera is a film that the fake camera plays, microphone a sound file: they count when the
   * place's Chromium starts.
   * browser: 'firefox' starts a Firefox for this context alone.
   */
  async context(place, origin, { permissions = ['camera', 'microphone'], camera, microphone, browser: kind = 'chromium', ...options } = {}) {
    if (kind === 'firefox') return this.#firefox(place, options);
    if (camera || microphone) await this.#end(place);
    const browser = this.#running.get(place) ?? (await this.#launch(place, { camera, microphone }));
    this.#running.delete(place);
    this.#running.set(place, browser);
    const context = await browser.newContext({ ignoreHTTPSErrors: this.trust === 'ignore', locale: 'en-US', ...options });
    await context.grantPermissions(permissions, { origin });
    return context;
  }

  async #launch(place, { camera, microphone }) {
    await this.#makeRoom();
    const home = this.#home(place);
    if (this.trust === 'nss') trustCA(join(home, '.pki', 'nssdb'), this.caFile);
    const executablePath = this.#wrap(place, home, `${process.env.CHROMIUM ?? 'chromium'} 2>>'${home}/chromium.log'`);
    const files = [
      ...(camera ? [`--use-file-for-fake-video-capture=${camera}`] : []),
      ...(microphone ? [`--use-file-for-fake-audio-capture=${microphone}`] : []),
    ];
    return chromium.launch({ executablePath, args: [...flags, ...files], headless: true, ...ours });
  }

  async #firefox(place, options) {
    await this.#makeRoom();
    const home = this.#home(place);
    const profile = join(home, 'profile');
    if (this.trust === 'nss') trustCA(profile, this.caFile);
    const { port, close } = await bridge(this.topology.ns(place));
    const context = await firefox.launchPersistentContext(profile, {
      channel: 'moz-firefox', executablePath: this.#wrap(place, home, process.env.FIREFOX ?? 'firefox-esr'), headless: true,
      ignoreDefaultArgs: ['--remote-debugging-port=0'], args: [`--remote-debugging-port=${port}`],
      firefoxUserPrefs: firefoxPrefs, ignoreHTTPSErrors: this.trust === 'ignore', locale: 'en-US', ...ours, ...options,
    });
    context.on('close', close);
    return context;
  }

  #home(place) {
    return mkdtempSync(join(this.topology.dir, `home-${place}-`));
  }

  /** A program that starts the browser inside the place. */
  #wrap(place, home, browser) {
    const wrapper = join(home, 'browser');
    const command = netns.inside(this.topology.ns(place), [browser, '"$@"']);
    writeFileSync(wrapper, `#!/bin/sh\nexport HOME='${home}'\nexec ${command.join(' ')}\n`, { mode: 0o755 });
    return wrapper;
  }

  /** Closes the Chromium that nobody has used for longest, when there are too many. */
  async #makeRoom() {
    for (const [place, browser] of this.#running) {
      if (this.#running.size < maxBrowsers) return;
      if (browser.contexts().length > 0) continue;
      this.#running.delete(place);
      await browser.close();
    }
  }

  /** Ends a place's Chromium, so that the next one starts with other devices. */
  async #end(place) {
    await this.#running.get(place)?.close();
    this.#running.delete(place);
  }

  async close() {
    await Promise.all([...this.#running.values()].map((browser) => browser.close()));
    this.#running.clear();
  }
}

/** What a person does once on a computer: trusts the site's CA. */
function trustCA(store, caFile) {
  mkdirSync(store, { recursive: true });
  netns.sh('certutil', ['-N', '-d', `sql:${store}`, '--empty-password']);
  netns.sh('certutil', ['-A', '-d', `sql:${store}`, '-n', 'fieldphone-lab', '-t', 'C,,', '-i', caFile]);
}
