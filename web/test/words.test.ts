import { describe, expect, test } from "vitest";
import { readPath } from "../src/call/path";
import { newCall, type Call } from "../src/call/types";
import { messages } from "../src/i18n";
import { apiCodes } from "../src/protocol/api";
import { endReasons } from "../src/protocol/messages";
import { hueOf, initials } from "../src/ui/Avatar";
import { apiWord, duration, endWord, stageLine } from "../src/ui/words";
import { FakePeer } from "./fakes";

const bob = { id: "bob", name: "Bob" };

describe("the path", () => {
  test.each([
    [{ candidateType: "host" }, { candidateType: "srflx" }, { relay: false, local: "host", remote: "srflx" }],
    [
      { candidateType: "relay", relayProtocol: "udp" },
      { candidateType: "host" },
      { relay: true, protocol: "udp" },
    ],
    [{ candidateType: "host" }, { candidateType: "relay" }, { relay: true }],
  ])("%j with %j", async (local, remote, want) => {
    const peer = new FakePeer({});
    peer.hears(5, local, remote);
    const report = readPath(await peer.getStats());
    expect(report).toMatchObject({ path: want, heard: 5 });
  });

  test("Firefox marks the pair itself", () => {
    const pair = {
      id: "P",
      type: "candidate-pair",
      state: "succeeded",
      selected: true,
      localCandidateId: "L",
    };
    const local = { id: "L", type: "local-candidate", candidateType: "prflx" };
    const report = readPath(new Map([pair, local].map((e) => [e.id, e])));
    expect(report.path).toMatchObject({ relay: false, local: "prflx" });
  });
});

describe("words", () => {
  const call = (change: Partial<Call>): Call => ({
    ...newCall({ call: "c", peer: bob, outgoing: true, media: "video", role: "offerer", stage: "connected" }),
    ...change,
  });

  test("every code and every reason has a text", () => {
    for (const code of apiCodes) expect(messages.en[apiWord(code)]).toBeTruthy();
    for (const end of endReasons) expect(messages.en[endWord(call({ end }))]).toBeTruthy();
  });

  test("the state of a call", () => {
    const path = { relay: true, protocol: "tcp", local: "relay", remote: "host" } as const;
    expect(stageLine(call({ path }))).toEqual({ key: "stage.relay_tcp" });
    expect(stageLine(call({ path: { ...path, relay: false } }))).toEqual({ key: "stage.direct" });
    expect(stageLine(call({ stage: "connecting", tryingRelay: true, trying: 12 }))).toEqual({
      key: "stage.connecting_relay",
      more: "stage.connecting_long",
    });
    expect(stageLine(call({ peerConnected: false })).more).toBe("stage.peer_away");
  });

  test.each([
    [0, "0:00"],
    [65.9, "1:05"],
    [3_725, "1:02:05"],
    [-4, "0:00"],
  ])("%d seconds are %s", (seconds, want) => expect(duration(seconds)).toBe(want));

  test.each([
    ["Alice 王", "A王"],
    ["bob", "B"],
    ["Ada King Lovelace", "AL"],
    ["欧阳明月", "明月"],
    ["", "?"],
    ["👩‍🚒", "👩"],
  ])("%s is shown as %s", (name, want) => expect(initials(name)).toBe(want));

  test("a person's colour is theirs", () => {
    expect(hueOf("alice")).toBe(hueOf("alice"));
    expect(new Set(["a", "b", "c", "d", "e", "f", "g", "h"].map(hueOf)).size).toBeGreaterThan(3);
  });
});
