// The path tests, loaded when they are first needed.
import { signalling, trust, type Way } from "./browser";
import { Tester, type TesterDeps } from "./tester";

export type { Tester } from "./tester";

/** What the page gives to the tests. */
export type Needs = Omit<TesterDeps, "signalling" | "trust"> & Way;

export function makeTester(needs: Needs): Tester {
  return new Tester({
    ...needs,
    signalling: () => signalling(needs),
    trust: () => trust(needs.timers),
  });
}
