import { expect, test } from "vitest";
import { tuneOpus } from "../src/call/opus";

const sdp = (...lines: string[]) => [...lines, ""].join("\r\n");
const chromium = sdp(
  "v=0",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0",
  "a=rtpmap:111 opus/48000/2",
  "a=fmtp:111 minptime=10;useinbandfec=0",
  "a=rtpmap:63 red/48000/2",
  "a=fmtp:63 111/111",
  "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
  "a=rtpmap:96 VP8/90000",
  "a=rtpmap:97 red/90000",
);

test("error correction and silence detection are asked for, once", () => {
  const tuned = tuneOpus(chromium, false);
  expect(tuned).toContain("a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n");
  expect(tuned).toContain("m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0\r\n");
  expect(tuneOpus(tuned, false)).toBe(tuned);
});

test("sound goes twice where both ends know how", () => {
  const tuned = tuneOpus(chromium, true);
  expect(tuned).toContain("m=audio 9 UDP/TLS/RTP/SAVPF 63 111 9 0\r\n");
  expect(tuned).toContain("m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n");
  const without = chromium.replace(/a=(rtpmap|fmtp):63.*\r\n/g, "");
  expect(tuneOpus(without, true)).toContain("SAVPF 111 63 9 0\r\n");
});

test("an encoder without parameters gets some", () => {
  const bare = sdp("m=audio 9 UDP/TLS/RTP/SAVPF 109", "a=rtpmap:109 opus/48000/2", "a=sendrecv");
  expect(tuneOpus(bare, true)).toBe(
    sdp(
      "m=audio 9 UDP/TLS/RTP/SAVPF 109",
      "a=rtpmap:109 opus/48000/2",
      "a=fmtp:109 useinbandfec=1;usedtx=1",
      "a=sendrecv",
    ),
  );
});

test("a description without Opus is left alone", () => {
  expect(tuneOpus("answer 1", true)).toBe("answer 1");
});
