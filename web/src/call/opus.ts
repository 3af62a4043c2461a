/**
 * Asks our own encoder for what helps on a weak link, in the description that the other end
 * sent: Opus (RFC 7587 section 6.1) with forward error correction and next to nothing while
 * nobody speaks, and, where both ends can and twice is wanted, each packet once more within
 * the next (RFC 2198), so that a lost one is there all the same. An SDP without Opus is left
 * as it is.
 */
export function tuneOpus(sdp: string, twice: boolean): string {
  const opus = /^a=rtpmap:(\d+) opus\/48000/im.exec(sdp)?.[1];
  if (opus === undefined) return sdp;
  const tuned = askFor(sdp, opus, { useinbandfec: "1", usedtx: "1" });
  const red = new RegExp(`^a=fmtp:(\\d+) ${opus}/${opus}\\r?$`, "m").exec(sdp)?.[1];
  const isRed = red !== undefined && new RegExp(`^a=rtpmap:${red} red/48000`, "im").test(sdp);
  return twice && isRed ? prefer(tuned, red) : tuned;
}

function askFor(sdp: string, type: string, wanted: Record<string, string>): string {
  const parameters = Object.entries(wanted).map(([key, value]) => `${key}=${value}`);
  const line = new RegExp(`^a=fmtp:${type} (.*?)(\r?)$`, "m");
  const found = line.exec(sdp);
  if (!found) {
    const map = new RegExp(`^(a=rtpmap:${type} .*?)(\r?)$`, "m");
    return sdp.replace(map, `$1$2\na=fmtp:${type} ${parameters.join(";")}$2`);
  }
  const others = found[1]!
    .split(";")
    .filter((each) => each !== "" && !(each.split("=")[0]!.trim() in wanted));
  return sdp.replace(line, `a=fmtp:${type} ${[...others, ...parameters].join(";")}$2`);
}

/** Puts a payload type first among those of the sound, which makes our side send it. */
function prefer(sdp: string, type: string): string {
  return sdp.replace(/^(m=audio \d+ \S+)( [\d ]+)/m, (_, head: string, types: string) => {
    const others = types
      .trim()
      .split(" ")
      .filter((each) => each !== type);
    return [head, type, ...others].join(" ");
  });
}
