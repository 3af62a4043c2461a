// What a person does on the page, found as a person finds it: by role and name.
import { writeFileSync } from 'node:fs';
import { picture, snapshot } from './media.mjs';

const names = ['Ada', 'Ben', 'Cleo', 'Dan', 'Eva', 'Finn', 'Gita', 'Hugo', 'Ida', 'Jon', 'Kim', 'Lea'];
const patienceMs = 10_000;

export class Person {
  #console = [];

  constructor(page, place, server, number) {
    this.page = page;
    this.place = place;
    this.server = server;
    this.id = `${place}-${number}`;
    this.name = `${names[number % names.length]} ${number}`;
    page.setDefaultTimeout(patienceMs);
    page.on('console', (message) => this.#console.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => this.#console.push(`uncaught: ${error.stack ?? error.message}`));
  }

  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  async open(url) {
    await this.page.goto(url);
  }

  async signUp() {
    const box = (name) => this.page.getByRole('textbox', { name, exact: true });
    await box('User ID').fill(this.id);
    await box('Name').fill(this.name);
    await box('Password').fill(`correct horse ${this.id}`);
    await this.button('Create account').click();
    await this.button('Sign out').waitFor();
  }

  /** The other one's line in the roster. */
  line(other) {
    return this.page.getByRole('listitem').filter({ hasText: other.name });
  }

  async sees(other) {
    await this.button(`Video call ${other.name}`).waitFor();
  }

  async call(other, kind = 'Video') {
    await this.button(`${kind} call ${other.name}`).click();
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

  async write(other, text) {
    await this.openText(other);
    await this.page.getByRole('textbox', { name: 'Message', exact: true }).fill(text);
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

  picture() {
    return this.page.evaluate(picture);
  }

  async evidence(path) {
    const { page } = this;
    if (!page.isClosed()) await page.screenshot({ path: `${path}.png` }).catch((error) => this.#console.push(`no screenshot: ${error.message}`));
    const stats = await this.stats().catch((error) => error.message);
    writeFileSync(`${path}.txt`, `${this.name} at ${this.place}\n${JSON.stringify(stats, null, 2)}\n${this.#console.join('\n')}\n`);
  }
}
