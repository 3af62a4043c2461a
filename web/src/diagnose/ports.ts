// Finds out which relay ports a firewall lets through: each answers STUN for a while.
import type { Leg } from "../protocol/messages";
import { close, pause, type Env, type Sweep } from "./env";

/**
 * Each port gets a connection of its own: within one, Chromium stops at the first pair that
 * answers, and Firefox starts on the next part only when one before it has worked. More of
 * them at a time cost phones too much.
 */
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
  const answered = new Set<number>();
  const peers: RTCPeerConnection[] = [];
  try {
    for (let i = 0; i < sweep.ports.length; i += 1) peers.push(env.newPeer({}));
    await Promise.all(peers.map((pc, i) => knock(pc, sweep, sweep.ports[i]!)));
    for (let waited = 0; waited < chunkMs && answered.size < peers.length; waited += lookMs) {
      await pause(env.timers, lookMs);
      const stats = await Promise.all(peers.map((pc) => pc.getStats()));
      stats.forEach((each, i) => answers(each) && answered.add(sweep.ports[i]!));
    }
    return answered;
  } finally {
    close(...peers);
  }
}

/** Makes a connection send checks to one port. */
async function knock(pc: RTCPeerConnection, sweep: Sweep, port: number): Promise<void> {
  pc.createDataChannel("port");
  const offer = await pc.createOffer();
  await pc.setLocalDescription(offer);
  await pc.setRemoteDescription({ type: "answer", sdp: fabricate(offer.sdp ?? "", sweep, port) });
}

interface Entry {
  type: string;
  responsesReceived?: number;
  state?: string;
}

function answers(stats: RTCStatsReport): boolean {
  let found = false;
  stats.forEach(({ type, responsesReceived = 0, state }: Entry) => {
    found ||= type === "candidate-pair" && (responsesReceived > 0 || state === "succeeded");
  });
  return found;
}

/** Never used: the checks come before DTLS, which nobody answers. */
const fingerprint = Array.from({ length: 32 }, (_, i) => (i + 16).toString(16).toUpperCase()).join(":");

/** The answer (RFC 8829) that an ICE-lite agent at the port would give to an offer of a data channel. */
export function fabricate(offer: string, { address, ufrag, password }: Sweep, port: number): string {
  const family = address.includes(":") ? "IP6" : "IP4";
  const mid = /^a=mid:(\S+)/m.exec(offer)?.[1] ?? "0";
  const lines = [
    "v=0",
    `o=- 1 1 IN ${family} ${address}`,
    "s=-",
    "t=0 0",
    "a=ice-lite",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    `c=IN ${family} ${address}`,
    `a=mid:${mid}`,
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${password}`,
    `a=fingerprint:sha-256 ${fingerprint}`,
    "a=setup:passive",
    "a=sctp-port:5000",
    `a=candidate:1 1 udp 2130706431 ${address} ${port} typ host`,
    "a=end-of-candidates",
  ];
  return `${lines.join("\r\n")}\r\n`;
}
