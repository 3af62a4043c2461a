// Waiting for conditions, with deadlines.
import { setTimeout as pause } from 'node:timers/promises';

const everyMs = 50;

/**
 * Asks until `holds(value)`, and returns that value. After patienceMs throws a sentence with
 * `what` should have come true and the last value.
 */
export async function until(what, ask, holds, patienceMs) {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const value = await ask();
    if (holds(value)) return value;
    if (Date.now() > deadline) {
      throw new Error(`${what}: not within ${patienceMs / 1000} s; last seen ${brief(value)}`);
    }
    await pause(everyMs);
  }
}

function brief(value) {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}
