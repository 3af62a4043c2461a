// What a person does on the page, found as a person finds it: by role and name.
import { writeFileSync } from 'node:fs';
import { arriving, candidates, firstFrame, picture, snapshot, soundReturns } from './media.mjs';
import { originOf } from './server.mjs';
import { until } from './wait.mjs';

const names = ['Ada', 'Ben', 'Cleo', 'Dan', 'Eva', 'Finn', 'Gita', 'Hugo', 'Ida', 'Jon', 'Kim', 'Lea'];
const patienceMs = 10_000;

export class Person {
  #console = [];
  #wrong = [];

  /** `as` is somebody who sits down at one more device. */
  constructor(page, place, server, number, as) {
    this.page = page;
    this.place = place;
    this.server = server;
    this.origin = originOf(server);
    this.id = as?.id ?? `${place}-${number}`;
    this.password = as?.password ?? `correct horse ${this.id}`;
    this.name = as?.name ?? `${names[number % names.length]} ${number}`;
    page.setDefaultTimeout(patienceMs);
    page.on('console', (message) => this.#console.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => this.#wrong.push(`uncaught: ${error.stack ?? error.message}`));
    page.on('request', (request) => this.#asked(request.url()));
  }

  /** Nothing on the page may ask anybody but the server. */
  #asked(url) {
    if (/^(https|wss|http|ws):/.test(url) && new URL(url).hostname !== new URL(this.origin).hostname) this.#wrong.push(`asked for ${url}`);
  }

  /** What no page may ever do, whatever the scenario. */
  get wrongs() {
    return this.#wrong.map((wrong) => `${this.name} at ${this.place}: ${wrong}`);
  }

  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  /** query is added to the page's address. */
  async open(query) {
    await this.page.goto(`${this.origin}/?lang=en${query}`);
  }

  box(name) {
    return this.page.getByRole('textbox', { name, exact: true });
  }

  /** Makes an account and signs in as the page does, but without it. */
  async makeAccount() {
    await this.page.goto(`${this.origin}/healthz`);
    const { id, name, password } = this;
    await this.page.evaluate(async (account) => {
      for (const what of ['register', 'login']) {
        const answer = await fetch(`/api/v1/${what}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(account[what]) });
        if (!answer.ok) throw new Error(`${what}: ${answer.status} ${await answer.text()}`);
      }
    }, { register: { id, name, password }, login: { id, password } });
  }

  async signUp() {
    await this.box('User ID').fill(this.id);
    await this.box('Name').fill(this.name);
    await this.box('Password').fill(this.password);
    await this.button('Create account').click();
    await this.button('Create account').waitFor({ state: 'hidden' });
  }

  async signOut() {
    await this.button('Sign out').click();
    await this.box('User ID').waitFor();
  }

  /** Signs in with an account that there is. */
  async signIn() {
    await this.button('I have an account').click();
    await this.box('User ID').fill(this.id);
    await this.box('Password').fill(this.password);
    await this.button('Sign in').click();
    await this.button('Sign in').waitFor({ state: 'hidden' });
  }

  /** The other one's line in the roster. */
  line(other) {
    return this.page.getByRole('listitem', { name: other.name, exact: true });
  }

  /** Waits until the other one can be called. */
  async sees(other) {
    await until(`${this.name} can call ${other.name}`, () => this.canCall(other), Boolean, patienceMs);
  }

  async canCall(other) {
    const call = this.button(`Video call ${other.name}`);
    return (await call.count()) > 0 && (await call.isEnabled());
  }

  async call(other, kind = 'Video') {
    await this.button(`${kind} call ${other.name}`).click();
  }

  /** Calls at a moment (Unix milliseconds) that other people can agree on. */
  async callAt(other, moment) {
    const press = (button, at) => setTimeout(() => button.click(), at - Date.now());
    await this.button(`Video call ${other.name}`).evaluate(press, moment);
  }

  /** The dialog of a call that comes in. */
  get ringing() {
    return this.page.getByRole('dialog').filter({ has: this.button('Accept') });
  }

  /** Accepts; returns the time of the click. */
  async accept() {
    const accept = this.ringing.getByRole('button', { name: 'Accept', exact: true });
    await accept.waitFor();
    const clicked = Date.now();
    await accept.click();
    return clicked;
  }

  async decline() {
    await this.ringing.getByRole('button', { name: 'Decline', exact: true }).click();
  }

  async hangUp() {
    await this.button('Hang up').click();
  }

  /** Waits until this side's call is over. */
  async isFree() {
    await this.button('Hang up').waitFor({ state: 'hidden' });
  }

  /** Waits until the page says something. */
  async reads(text) {
    await this.page.getByText(text).first().waitFor();
  }

  async readsNoMore(text) {
    await this.page.getByText(text).waitFor({ state: 'hidden' });
  }

  async write(other, text) {
    await this.openText(other);
    await this.box('Message').fill(text);
    await this.button('Send').click();
  }

  async openText(other) {
    await this.button(`Message ${other.name}`).click();
  }

  /** The numbers of this side's call; null without one. */
  stats() {
    return this.page.evaluate(snapshot);
  }

  /** The STUN and TURN URLs that the server hands to this page. */
  iceURLs() {
    return this.page.evaluate(async () => {
      const response = await fetch('/api/v1/ice');
      if (!response.ok) throw new Error(`/api/v1/ice answered ${response.status}`);
      const { iceServers } = await response.json();
      return iceServers.flatMap((server) => server.urls);
    });
  }

  /** Resolves with the time of the call's first decoded frame (Unix milliseconds). */
  async firstFrame(patience) {
    const at = await this.page.evaluate(firstFrame, patience);
    if (at === null) throw new Error(`${this.name} at ${this.place} decoded no video frame within ${patience / 1000} s`);
    return at;
  }

  /** What arrives of the other side's sound and picture. */
  arriving() {
    return this.page.evaluate(arriving);
  }

  /** Resolves with the time at which sound is heard again after a cut (Unix milliseconds). */
  async soundReturns(patienceMs, silenceFirst = false) {
    const at = await this.page.evaluate(soundReturns, { patienceMs, silenceFirst });
    if (at === null) throw new Error(`${this.name} at ${this.place} hears nothing again within ${patienceMs / 1000} s`);
    return at;
  }

  picture() {
    return this.page.evaluate(picture);
  }

  async evidence(path) {
    const { page } = this;
    if (!page.isClosed()) await page.screenshot({ path: `${path}.png` }).catch((error) => this.#console.push(`no screenshot: ${error.message}`));
    const stats = await this.stats().catch((error) => error.message);
    const ways = await page.evaluate(candidates).catch((error) => [error.message]);
    writeFileSync(`${path}.txt`, `${this.name} at ${this.place}\n${JSON.stringify(stats, null, 2)}\n${ways.map((way) => JSON.stringify(way)).join('\n')}\n${[...this.#wrong, ...this.#console].join('\n')}\n`);
  }
}
