import { newName } from "../protocol/messages";
import type { Kept } from "./storage";

/** The part of navigator.locks that is used; missing in older browsers. */
export type Locks = Pick<LockManager, "request"> | undefined;

const waitMs = 400;

/**
 * This tab's device name, kept across reloads. A tab that was duplicated brings a
 * copy of it along: the lock tells, and then the copy gets a name of its own.
 */
export async function deviceName(
  kept: Kept,
  locks: Locks,
  random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array,
): Promise<string> {
  const known = kept.get("device");
  if (known !== undefined && (await hold(locks, known))) return known;
  const fresh = newName("web", random);
  kept.set("device", fresh);
  await hold(locks, fresh);
  return fresh;
}

/** Holds the lock for as long as the page lives; false when another tab does. */
function hold(locks: Locks, name: string): Promise<boolean> {
  if (!locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    const abort = new AbortController();
    // The page before a reload lets go a moment late.
    const timer = setTimeout(() => abort.abort(), waitMs);
    locks
      .request(`fieldphone.${name}`, { signal: abort.signal }, () => {
        clearTimeout(timer);
        resolve(true);
        return new Promise<void>(() => undefined);
      })
      .catch(() => resolve(false));
  });
}
