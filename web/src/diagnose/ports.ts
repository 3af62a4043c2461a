// Finds out which relay ports a firewall lets through: each answers STUN for a while.
import type { Leg } from "../protocol/messages";
import { close, pause, type Env, type Sweep } from "./env";

/** A browser checks one pair of a transport after another and stops at the first that answers, so each port gets a transport of its own; more of them at a time cost phones too much. */
const chunkSize = 16;
const chunkMs = 2_500;
const lookMs = 100;
const maxPorts = 64;

/** Asks every port of the sweep. */
export async function ports(env: Env, sweep: Sweep): Promise<Leg> {
  const asked = sweep.ports.slice(0, maxPorts);
  const blocked: number[] = [];
  const target = `${sweep.address.includes(":") ? `[${sweep.address}]` : sweep.address}/udp`;
  for (let at = 0; at < asked.length; at += chunkSize) {
    const chunk = asked.slice(at, at + chunkSize);
    const answered = await ask(env, { ...sweep, ports: chunk });
    blocked.push(...chunk.filter((port) => !answered.has(port)));
  }
  const data = { asked: asked.length, answered: asked.length - blocked.length };
  if (asked.length === 0) return { leg: "ports", state: "skipped", target };
  if (blocked.length === 0) return { leg: "ports", state: "ok", target, data };
  return { leg: "ports", state: "failed", code: "blocked_ports", target, data, blocked };
}

/** The ports that answered connectivity checks (RFC 8445 section 7). */
async function ask(env: Env, sweep: Sweep): Promise<Set<number>> {
  const pc = env.newPeer({ bundlePolicy: "max-compat" });
  let answered = new Set<number>();
  try {
    for (let i = 0; i < sweep.ports.length; i += 1) pc.addTransceiver("audio", { direction: "recvonly" });
    const offer = await pc.createOffer();
    await pc.setLocalDescription(offer);
    await pc.setRemoteDescription({ type: "answer", sdp: fabricate(offer.sdp ?? "", sweep) });
    for (let waited = 0; waited < chunkMs && answered.size < sweep.ports.length; waited += lookMs) {
      await pause(env.timers, lookMs);
      answered = answers(await pc.getStats());
    }
    return answered;
  } finally {
    close(pc);
  }
}

interface Entry {
  id: string;
  type: string;
  remoteCandidateId?: string;
  responsesReceived?: number;
  state?: string;
  port?: number;
}

function answers(stats: RTCStatsReport): Set<number> {
  const entries = new Map<string, Entry>();
  stats.forEach((entry: Entry) => entries.set(entry.id, entry));
  const found = new Set<number>();
  for (const { type, remoteCandidateId, responsesReceived = 0, state } of entries.values()) {
    if (type !== "candidate-pair" || (responsesReceived === 0 && state !== "succeeded")) continue;
    const port = entries.get(remoteCandidateId ?? "")?.port;
    if (port !== undefined) found.add(port);
  }
  return found;
}

/** Never used: the checks come before DTLS, which nobody answers. */
const fingerprint = Array.from({ length: 32 }, (_, i) => (i + 16).toString(16).toUpperCase()).join(":");

/**
 * The answer (RFC 8829) that an ICE-lite agent with one port for each part of the offer
 * would give; none of the parts are bundled.
 */
export function fabricate(offer: string, { address, ports: each, ufrag, password }: Sweep): string {
  const family = address.includes(":") ? "IP6" : "IP4";
  const parts = offer.split(/\r?\n(?=m=)/).slice(1);
  const lines = ["v=0", `o=- 1 1 IN ${family} ${address}`, "s=-", "t=0 0", "a=ice-lite"];
  parts.forEach((part, i) => {
    const mid = /^a=mid:(\S+)/m.exec(part)?.[1] ?? String(i);
    const [, media = "m=audio 9 UDP/TLS/RTP/SAVPF", type = "0"] = /^(m=\S+ \S+ \S+) (\d+)/.exec(part) ?? [];
    const map = new RegExp(`^a=rtpmap:${type} .*$`, "m").exec(part)?.[0].trim();
    lines.push(
      `${media} ${type}`,
      `c=IN ${family} ${address}`,
      `a=mid:${mid}`,
      ...(map ? [map] : []),
      "a=inactive",
      "a=rtcp-mux",
      `a=ice-ufrag:${ufrag}`,
      `a=ice-pwd:${password}`,
      `a=fingerprint:sha-256 ${fingerprint}`,
      "a=setup:passive",
      `a=candidate:1 1 udp 2130706431 ${address} ${each[i]!} typ host`,
      "a=end-of-candidates",
    );
  });
  return `${lines.join("\r\n")}\r\n`;
}
