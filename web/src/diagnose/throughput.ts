// Sends from this page through the relay to this page.
import type { Leg } from "../protocol/messages";
import { close, within, type Env } from "./env";
import { legLimitMs, targetOf } from "./gather";
import { lossy, Meter, reflect, run, type Measured } from "./meter";

/** What a good video call sends, 2 Mbit/s, for 3 s. */
const load = { count: 750, everyMs: 4, size: 1_000, echoEvery: 10 };
/** More is heard and seen. */
export const badLoss = 0.03;
/** Less than this and the picture of a call is poor. */
const poorKbps = 700;
/** Longer than this and people talk at the same time (ITU-T G.114, both ways). */
export const longTripMs = 400;

/** Measures the way to the relay and back with two connections that have no other way. */
export async function throughput(env: Env, url: string, server: RTCIceServer): Promise<Leg> {
  const config: RTCConfiguration = { iceServers: [server], iceTransportPolicy: "relay" };
  const target = targetOf(url);
  const near = env.newPeer(config);
  const far = env.newPeer(config);
  const meter = new Meter();
  try {
    const channel = near.createDataChannel("throughput", lossy);
    far.ondatachannel = (event) =>
      reflect(event.channel, (seq, sentAt) => meter.arrived(seq, env.now() - sentAt));
    const open = await within(env.timers, legLimitMs, (done) => {
      channel.onopen = done;
      connect(near, far).catch(done);
    });
    if (!open || channel.readyState !== "open")
      return { leg: "throughput", state: "failed", code: "timeout", target };
    return judged(await run(env, channel, load, meter, "here"), target);
  } finally {
    close(near, far);
  }
}

/** Joins two connections of this page. */
async function connect(near: RTCPeerConnection, far: RTCPeerConnection): Promise<void> {
  const ready = { near: [] as RTCIceCandidate[], far: [] as RTCIceCandidate[] };
  let described = false;
  const pass = (to: RTCPeerConnection, kept: RTCIceCandidate[]) => (event: RTCPeerConnectionIceEvent) => {
    if (!event.candidate) return;
    if (described) void to.addIceCandidate(event.candidate).catch(() => undefined);
    else kept.push(event.candidate);
  };
  near.onicecandidate = pass(far, ready.far);
  far.onicecandidate = pass(near, ready.near);
  const offer = await near.createOffer();
  await near.setLocalDescription(offer);
  await far.setRemoteDescription(offer);
  const answer = await far.createAnswer();
  await far.setLocalDescription(answer);
  await near.setRemoteDescription(answer);
  described = true;
  for (const candidate of ready.far) await far.addIceCandidate(candidate).catch(() => undefined);
  for (const candidate of ready.near) await near.addIceCandidate(candidate).catch(() => undefined);
}

function judged(measured: Measured, target: string): Leg {
  const leg = "throughput";
  const data = dataOf(measured);
  if (measured.loss >= 1) return { leg, state: "failed", code: "timeout", target, data };
  const bad = shortfall(measured);
  if (bad) return { leg, state: "slow", code: bad, target, data };
  if (measured.held && measured.kbps < poorKbps) return { leg, state: "slow", code: "slow", target, data };
  return { leg, state: "ok", target, data };
}

export function shortfall({ loss, rtt_ms: trip = 0 }: Measured): "lossy" | "slow" | undefined {
  if (loss > badLoss) return "lossy";
  return trip > longTripMs ? "slow" : undefined;
}

/** The figures, as a leg tells them. */
export function dataOf({ sent, loss, rtt_ms, jitter_ms, kbps }: Measured): Record<string, number> {
  const round = (n: number, digits: number) => Number(n.toFixed(digits));
  return {
    sent,
    loss: round(loss, 4),
    kbps: Math.round(kbps),
    ...(rtt_ms === undefined ? {} : { rtt_ms: round(rtt_ms, 1) }),
    ...(jitter_ms === undefined ? {} : { jitter_ms: round(jitter_ms, 2) }),
  };
}
