// The server under test: built from this checkout, run inside the place `srv`.
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as netns from './netns.mjs';
import { httpsPort, segments } from './plan.mjs';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const fetchFile = fileURLToPath(new URL('fetch.mjs', import.meta.url));
const startMs = 15_000;
const stopMs = 15_000;
export const httpPort = 8080;

/** As a browser writes it, which leaves the usual port out. */
export const originOf = (address) => `https://${address}`;

/** Builds the server; returns the path of the binary. */
export function build(dir) {
  const binary = join(dir, 'fieldphone');
  try {
    netns.sh('go', ['-C', repository, 'build', '-o', binary, './cmd/fieldphone']);
  } catch (error) {
    throw new Error(`go build failed:\n${error.stderr}`);
  }
  return binary;
}

export class Server {
  #process;
  #log;

  /** relayPath is how it relays packets (relay.path), unless a scenario sets it. */
  constructor(topology, binary, logFile, relayPath = 'auto') {
    this.topology = topology;
    this.relayPath = relayPath;
    this.binary = binary;
    this.data = join(topology.dir, 'data');
    this.caFile = join(topology.dir, 'ca.pem');
    this.#log = createWriteStream(logFile, { flags: 'a' });
    mkdirSync(this.data, { mode: 0o700 });
  }

  /** Starts it with settings as environment variables; returns the seconds until it answered. */
  async start(settings = {}) {
    const began = Date.now();
    // Who comes in a later scenario is not shown what was announced in an earlier one.
    const own = {
      FIELDPHONE_LISTEN_HTTPS_PORT: String(httpsPort), FIELDPHONE_ANNOUNCEMENTS_KEEP: '0s', FIELDPHONE_RELAY_PATH: this.relayPath,
    };
    const options = { env: { PATH: process.env.PATH, HOME: this.topology.dir, ...own, ...settings } };
    const command = [this.binary, 'serve', '--data', this.data];
    this.#process = netns.start(this.topology.ns('srv'), command, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#log.write(`--- serve ${JSON.stringify(settings)}\n`);
    this.#process.stdout.pipe(this.#log, { end: false });
    this.#process.stderr.pipe(this.#log, { end: false });
    const died = once(this.#process, 'exit').then(([code]) => {
      throw new Error(`the server ended by itself with exit code ${code}; see server.log`);
    });
    died.catch(() => {}); // it ends one day, after the race below
    await Promise.race([this.#answers(), died]);
    return (Date.now() - began) / 1000;
  }

  /** Takes the CA as a person would, then asks each address from its own segment with it. */
  async #answers() {
    const { A, B } = segments;
    writeFileSync(this.caFile, await this.fetch('a1', `http://${A.server}:${httpPort}/fieldphone-ca.pem`));
    await Promise.all([
      this.fetch('a1', `${originOf(A.server)}/healthz`, this.caFile),
      this.fetch('b1', `${originOf(B.server)}/healthz`, this.caFile),
    ]);
  }

  /** Asks a URL from inside a place until it answers. */
  fetch(place, url, ...caFile) {
    return netns.runAsync(this.topology.ns(place), [process.execPath, fetchFile, String(startMs), url, ...caFile]);
  }

  /** A counter of /metrics, all its labels together. */
  async counter(name) {
    const text = await this.fetch('srv', `${originOf(segments.A.server)}/metrics`, this.caFile);
    const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    if (lines.length === 0) throw new Error(`/metrics has no ${name}`);
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  /** How it relays packets, as it said when it started: the path, and why not the one that was asked for. */
  pathOfPackets() {
    const said = readFileSync(this.#log.path, 'utf8').split('\n').filter((line) => / path=\w+ asked=/.test(line)).at(-1);
    return { path: / path=(\w+)/.exec(said)[1], why: / why=("[^"]*"|\S+)/.exec(said)?.[1] };
  }

  /** On the server's own command line, while it runs or not. */
  async addAdministrator({ id, name, password }) {
    const command = [this.binary, 'user', 'add', id, '--name', name, '--admin', '--data', this.data];
    await netns.runAsync(this.topology.ns('srv'), ['env', `FIELDPHONE_PASSWORD=${password}`, ...command]);
  }

  get running() {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Stops it as systemd would; it must end by itself, with exit code 0. */
  async stop() {
    if (!this.running) throw new Error(`the server is not running (exit code ${this.#process?.exitCode}); see server.log`);
    const ended = once(this.#process, 'exit', { signal: AbortSignal.timeout(stopMs) });
    this.#process.kill('SIGTERM');
    const [code, signal] = await ended.catch(() => {
      this.#process.kill('SIGKILL');
      throw new Error(`the server did not stop within ${stopMs / 1000} s of SIGTERM`);
    });
    if (code !== 0) throw new Error(`the server ended with ${signal ?? `exit code ${code}`} on SIGTERM, want 0`);
  }

  /** Ends it as a power cut would, in the middle of whatever it does. */
  async kill() {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  async restart(settings) {
    await this.stop();
    return this.start(settings);
  }
}
