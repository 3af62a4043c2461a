// How a NAT on the way maps addresses, as far as a browser can see it.
import type { Leg } from "../protocol/messages";
import type { Env, Plan } from "./env";
import { gather, targetOf } from "./gather";

/**
 * Asks two addresses from one socket (RFC 5780 section 4.3): two different mapped addresses
 * mean that direct paths to others will rarely be found.
 */
export async function nat(env: Env, { primary, other }: NonNullable<Plan["nat"]>): Promise<Leg> {
  const urls = [primary, other].map((address) => `stun:${address}`);
  const gathered = await gather(env, [{ urls }], "srflx", { all: true });
  const target = targetOf(urls[1]!);
  // An address that did not answer says nothing about the other one.
  if (!gathered.complete || gathered.errors.length > 0)
    return { leg: "nat", state: "skipped", code: "timeout", target };
  const mapped = new Map<string, Set<string>>();
  for (const candidate of gathered.found) {
    const [, , , , address = "", port = ""] = candidate.split(" ");
    const base = / raddr \S+ rport \d+/.exec(candidate)?.[0] ?? "";
    mapped.set(base, (mapped.get(base) ?? new Set()).add(`${address} ${port}`));
  }
  const mappings = Math.max(1, ...[...mapped.values()].map((each) => each.size));
  return { leg: "nat", state: "ok", target, ms: Math.round(gathered.ms), data: { mappings } };
}
