// The whole lab as a scenario sees it: places, a server, and people with browsers.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Browsers } from './browser.mjs';
import { Person } from './people.mjs';
import { hosts, serverAddresses, serverFor } from './plan.mjs';
import { build, httpPort, originOf, Server } from './server.mjs';
import { writeSpeech } from './speech.mjs';

export class Lab {
  #people = [];
  #arrived = 0;
  #strangers; // browsers that do not trust the site
  #settings = {};
  #switched = new Set();
  #shut = false;
  #weak = new Set();
  #speech;
  #walked = new Set();

  constructor(topology, { out, binary, trust, 'relay-path': relayPath }) {
    this.topology = topology;
    this.binary = binary;
    this.trust = trust;
    this.relayPath = relayPath;
    mkdirSync(out, { recursive: true });
    this.logFile = join(out, 'server.log');
  }

  /** Builds and starts the server; returns the seconds until it answered. */
  async open() {
    process.env.TMPDIR = this.topology.dir; // the driver's own files go away with the lab
    this.server = new Server(this.topology, this.binary ?? build(this.topology.dir), this.logFile, this.relayPath);
    const seconds = await this.server.start();
    this.browsers = new Browsers(this.topology, this.server.caFile, this.trust);
    return seconds;
  }

  addresses() {
    return serverAddresses.map(originOf);
  }

  /**
   * Somebody sits down at a place and opens the page by one of the server's addresses (its
   * own segment's, unless told). query is added to the page's address; script runs before the
   * page's own; with account they are signed in already; permissions and the rest are the
   * browser context's.
   */
  async visitor(place, { as, id, name, server = serverFor(place), query = '', script, account, ...options } = {}) {
    if (!(place in hosts)) throw new Error(`nobody can sit at ${place}`);
    const context = await this.browsers.context(place, originOf(server), options);
    if (script) await context.addInitScript(script);
    const person = new Person(await context.newPage(), place, server, ++this.#arrived, as ?? { id, name });
    this.#people.push(person);
    if (account) await person.makeAccount();
    await person.open(query);
    return person;
  }

  /** Somebody whose device knows nothing of the site yet, in front of a blank page. */
  async newcomer(place, { server = serverFor(place), ...options } = {}) {
    this.#strangers ??= new Browsers(this.topology, this.server.caFile, 'none');
    const context = await this.#strangers.context(place, originOf(server), options);
    const person = new Person(await context.newPage(), place, server, ++this.#arrived);
    this.#people.push(person);
    return person;
  }

  /**
   * A visitor who has just made an account (an id and a name are found for them), or signs in as
   * somebody who has one. How one makes an account on the page is the business of the first visit.
   */
  async person(place, options = {}) {
    const person = await this.visitor(place, { account: !options.as, ...options });
    if (options.as) await person.signIn();
    return person;
  }

  /** An administrator, made on the server's own command line. */
  async administrator(place, options) {
    const as = { id: `admin-${++this.#arrived}`, name: `Root ${this.#arrived}`, password: 'correct horse admin' };
    await this.server.addAdministrator(as);
    return this.person(place, { ...options, as });
  }

  /** The plain-HTTP page that a place's people are sent to first. */
  startPage(place) {
    return `http://${serverFor(place)}:${httpPort}/?lang=en`;
  }

  /** Several people at once, one for each place; options at the end are everybody's. */
  people(...places) {
    const options = typeof places.at(-1) === 'object' ? places.pop() : {};
    return Promise.all(places.map((place) => this.person(place, options)));
  }

  /** Switches direct traffic off, for this scenario only. */
  block(place = 'r') {
    this.#switched.add(place);
    this.topology.direct(false, place);
  }

  unblock(place = 'r') {
    this.#switched.delete(place);
    this.topology.direct(true, place);
  }

  /** Closes the router to packets that match, for this scenario only. */
  shut(match) {
    this.topology.shut([match]);
    this.#shut = true;
  }

  /**
   * A phone walks from its hotspot to the other one or back, for this scenario only, and is
   * between them for a while. Returns when the new network was up (Unix milliseconds): the
   * link, an address and a default route.
   */
  async roam(place, betweenMs = 1_000) {
    this.#walked.add(place);
    const to = this.topology.otherHotspot(place);
    this.topology.unplug(place);
    await pause(betweenMs);
    this.topology.arrive(place, to);
    return Date.now();
  }

  /** A sound file for fake microphones: somebody who talks without a pause. */
  get speech() {
    return (this.#speech ??= writeSpeech(join(this.topology.dir, 'speech.wav')));
  }

  /** Makes a place's link weak: loss in percent, speed in kbit/s, both ways; for this scenario only. */
  weaken(place, link) {
    this.#weak.add(place);
    this.topology.weaken(place, link);
  }

  strengthen(place) {
    this.topology.strengthen(place);
    this.#weak.delete(place);
  }

  /** What a person's click puts on the clipboard. */
  async copied(person, click) {
    await person.page.evaluate(() => {
      navigator.clipboard.writeText = async (text) => {
        window.copiedText = text;
      };
    });
    await click();
    return person.page.evaluate(() => window.copiedText);
  }

  /** Restarts the server with other settings, for this scenario only. */
  async configure(settings) {
    this.#settings = settings;
    await this.server.restart(settings);
  }

  /** Everything that may explain a failure: screens, pages' words, and the numbers. */
  async evidence(path) {
    await Promise.all(this.#people.map((person) => person.evidence(`${path}-${person.place}`)));
  }

  /** Everybody goes home, and the network and the server are as they were before. */
  async leave() {
    await Promise.all(this.#people.map((person) => person.page.context().close()));
    const wrongs = this.#people.flatMap((person) => person.wrongs);
    this.#people = [];
    await this.#strangers?.close();
    this.#strangers = undefined;
    for (const place of [...this.#switched]) this.unblock(place);
    for (const place of [...this.#weak]) this.strengthen(place);
    for (const place of this.#walked) {
      this.topology.unplug(place);
      this.topology.arrive(place, hosts[place].on, true);
    }
    this.#walked.clear();
    if (this.#shut) this.topology.reset();
    this.#shut = false;
    if (!this.server.running) await this.server.start();
    else if (Object.keys(this.#settings).length > 0) await this.server.restart();
    this.#settings = {};
    if (wrongs.length > 0) throw new Error(wrongs.join('\n'));
  }

  /** Ends everything; the server must stop cleanly and must not have logged an error. */
  async close() {
    await this.browsers.close();
    await this.server.stop();
    const errors = readFileSync(this.logFile, 'utf8').split('\n').filter((line) => /level=ERROR|^panic:|^fatal error:/.test(line));
    if (errors.length > 0) throw new Error(`the server logged errors:\n${errors.join('\n')}`);
  }
}
