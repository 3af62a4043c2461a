// What a page can tell about the media of its call. These functions run inside the page.

/** Frames, sound and path of window.fieldphone.pc, as getStats tells them. */
export async function snapshot() {
  const pc = window.fieldphone?.pc;
  if (!pc) return null;
  const stats = [...(await pc.getStats()).values()];
  const byId = new Map(stats.map((s) => [s.id, s]));
  const inbound = (kind) => stats.filter((s) => s.type === 'inbound-rtp' && s.kind === kind);
  const sum = (list, field) => list.reduce((total, s) => total + (s[field] ?? 0), 0);
  const transport = stats.find((s) => s.type === 'transport' && s.selectedCandidatePairId);
  const pair = byId.get(transport?.selectedCandidatePairId);
  const end = (id) => {
    const candidate = byId.get(id);
    return candidate && { type: candidate.candidateType, address: candidate.address, protocol: candidate.relayProtocol ?? candidate.protocol };
  };
  return {
    frames: sum(inbound('video'), 'framesDecoded'),
    energy: sum(inbound('audio'), 'totalAudioEnergy'),
    audioBytes: sum(inbound('audio'), 'bytesReceived'),
    local: end(pair?.localCandidateId) ?? null,
    remote: end(pair?.remoteCandidateId) ?? null,
    relayPorts: stats.filter((s) => s.type === 'local-candidate' && s.candidateType === 'relay').map((s) => s.port),
    relays: stats.filter((s) => s.type === 'local-candidate' && s.candidateType === 'relay').map((s) => s.address),
    state: pc.connectionState,
  };
}

/** All candidates and candidate pairs of the connection, to explain a path. */
export async function candidates() {
  const stats = [...((await window.fieldphone?.pc?.getStats())?.values() ?? [])];
  const told = ['local-candidate', 'remote-candidate', 'candidate-pair', 'transport'];
  const lines = ({ sdp }) => sdp?.match(/^a=candidate:.*$/gm) ?? [];
  const { localDescription, remoteDescription } = window.fieldphone?.pc ?? {};
  return [...stats.filter((s) => told.includes(s.type)), { own: lines(localDescription ?? {}), theirs: lines(remoteDescription ?? {}) }];
}

/**
 * A small copy of the picture of the other side, as text; empty where the page shows none.
 * The other side's <video> is the one whose track is one of the connection's receivers.
 */
export function picture() {
  const received = window.fieldphone?.pc?.getReceivers().map((r) => r.track) ?? [];
  const shown = [...document.querySelectorAll('video')].find((video) =>
    video.checkVisibility() && video.videoWidth > 0 && video.srcObject?.getVideoTracks().some((track) => received.includes(track)));
  if (!shown) return '';
  const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 });
  const draw = canvas.getContext('2d');
  draw.drawImage(shown, 0, 0, canvas.width, canvas.height);
  return draw.getImageData(0, 0, canvas.width, canvas.height).data.join();
}

/** Resolves with the wall-clock time of the first decoded frame, or null after patienceMs. */
export async function firstFrame(patienceMs) {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline) {
    const stats = await window.fieldphone?.pc?.getStats();
    for (const s of stats?.values() ?? []) {
      if (s.type === 'inbound-rtp' && s.kind === 'video' && s.framesDecoded > 0) return Date.now();
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return null;
}

/**
 * Resolves with the wall-clock time at which new sound was heard for a tenth of a second, or
 * null after patienceMs. What a jitter buffer makes up out of what came before does not count;
 * nor, where a silence must come first, what was heard before it.
 */
export async function soundReturns({ patienceMs, silenceFirst }) {
  const heard = async () => {
    const stats = [...((await window.fieldphone?.pc?.getStats())?.values() ?? [])];
    const sound = stats.filter((s) => s.type === 'inbound-rtp' && s.kind === 'audio');
    return sound.reduce((sum, s) => sum + (s.totalSamplesReceived ?? 0) - (s.concealedSamples ?? 0), 0);
  };
  const deadline = Date.now() + patienceMs;
  let before = await heard();
  for (let quiet = 0; silenceFirst && quiet < 10 && Date.now() < deadline; ) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    const now = await heard();
    quiet = now === before ? quiet + 1 : 0;
    before = now;
  }
  while (Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = await heard();
    if (now >= before + 4_800) return Date.now();
    if (now < before) before = now; // a connection made anew counts from nothing
  }
  return null;
}

/** What arrives of sound and picture, in counters that only grow, and how large the picture is now. */
export async function arriving() {
  const stats = [...((await window.fieldphone?.pc?.getStats())?.values() ?? [])];
  const inbound = (kind) => stats.filter((s) => s.type === 'inbound-rtp' && s.kind === kind);
  const sum = (kind, field) => inbound(kind).reduce((total, s) => total + (s[field] ?? 0), 0);
  return {
    at: Date.now(),
    packets: sum('audio', 'packetsReceived'),
    lost: sum('audio', 'packetsLost'),
    samples: sum('audio', 'totalSamplesReceived'),
    concealed: sum('audio', 'concealedSamples') - sum('audio', 'silentConcealedSamples'),
    frames: sum('video', 'framesDecoded'),
    videoBytes: sum('video', 'bytesReceived'),
    height: Math.max(0, ...inbound('video').map((s) => s.frameHeight ?? 0)),
    fps: sum('video', 'framesPerSecond'),
  };
}
