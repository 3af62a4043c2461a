// What a run prints, and what it leaves in its output folder.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const seconds = (began) => (Date.now() - began) / 1000;
const line = (result, name, rest) => console.log(`${result} ${name.padEnd(24)} ${rest}`.trimEnd());

const shownLines = 8;

/** The first lines of an error, without colours; results.json has all of it. */
function shorten(text) {
  const lines = stripVTControlCharacters(text).trimEnd().split('\n');
  return lines.slice(0, shownLines).map((each) => `     ${each}`).join('\n');
}

export class Report {
  #began = Date.now();
  #results = [];

  constructor(out) {
    this.out = out;
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out, { recursive: true });
  }

  get failed() {
    return this.#results.filter((result) => !result.passed).length;
  }

  checked(name, error) {
    this.#add({ name, passed: !error, error: error?.message, kind: 'network' });
  }

  started(startSeconds) {
    console.log(`     the server answers ${startSeconds.toFixed(1)} s after its start`);
  }

  /** Plays one scenario; what it returns is {ends, toFirstFrame} of its call, where it has one, and a note. */
  async play(scenario, lab) {
    const began = Date.now();
    const result = { name: scenario.name, kind: 'scenario', passed: true };
    try {
      Object.assign(result, await scenario.run(lab));
    } catch (error) {
      Object.assign(result, { passed: false, error: error.message, stack: error.stack });
      await lab.evidence(join(this.out, scenario.name));
    }
    try {
      await lab.leave();
    } catch (error) {
      result.passed = false;
      result.error = [result.error, `afterwards: ${error.message}`].filter(Boolean).join('\n');
    }
    this.#add({ ...result, took: seconds(began) });
  }

  /** Closing the lab is tested too: the server must end as it should. */
  async tidy(close) {
    await close().then(() => this.checked('the server stops cleanly'), (error) => this.checked('the server stops cleanly', error));
  }

  #add(result) {
    this.#results.push(result);
    const path = result.ends ? result.ends.join('  ') : '';
    const first = result.toFirstFrame === undefined ? '' : `${result.toFirstFrame.toFixed(2)} s to first frame`;
    const took = result.took === undefined ? '' : `(${result.took.toFixed(1)} s)`;
    line(result.passed ? 'pass' : 'FAIL', result.name, [path, first, result.note, took].filter(Boolean).join('  '));
    if (result.error) console.log(shorten(result.error));
  }

  /** Prints the summary; returns the exit code. */
  finish() {
    const { failed } = this;
    const passed = this.#results.length - failed;
    const file = { passed, failed, seconds: seconds(this.#began), results: this.#results };
    writeFileSync(join(this.out, 'results.json'), `${JSON.stringify(file, null, 2)}\n`);
    console.log(`${passed} passed, ${failed} failed`);
    return failed > 0 || passed === 0 ? 1 : 0;
  }
}
