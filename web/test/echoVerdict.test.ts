// What the echo test says about what it saw.
import { h } from "preact";
import { renderToString } from "preact-render-to-string";
import { describe, expect, test } from "vitest";
import type { EchoFound, Facts, Way } from "../src/call/echo";
import { verdict, type Code, type Headline, type Item } from "../src/call/echoVerdict";
import type { Path } from "../src/call/types";
import { translate, type Key, type Language } from "../src/i18n";
import { echoSay, echoTexts, type EchoKey } from "../src/i18n/echo";
import { echoID } from "../src/protocol/messages";
import type { App } from "../src/state/app";
import { People } from "../src/state/people";
import { Provide } from "../src/ui/context";
import { EchoVerdict } from "../src/ui/EchoVerdict";
import { figures, told } from "../src/ui/EchoWords";

const straight: Path = { relay: false, local: "host", remote: "host" };
const over = (protocol?: Path["protocol"]): Path => ({
  relay: true,
  local: "relay",
  remote: "host",
  protocol,
});
const works = (path: Path, more: Partial<Way> = {}): Way => ({
  works: true,
  path,
  loss: 0,
  rttMs: 3,
  upKbps: 100,
  downKbps: 90,
  ...more,
});
const broken: Way = { works: false };

const good: Facts = {
  unmuted: true,
  video: true,
  filming: true,
  problems: {},
  loudest: 0.1,
  brightest: 180,
  cameraFrames: 200,
  soundPackets: 400,
  soundEnergy: 0.5,
  picturePackets: 500,
  pictureFrames: 190,
};

const bothWays: EchoFound["ways"] = { direct: works(straight), relay: works(over("udp")) };

function found(facts: Partial<Facts> = {}, ways: EchoFound["ways"] = bothWays, complete = true): EchoFound {
  return { step: undefined, steps: ["direct", "relay"], complete, ways, facts: { ...good, ...facts } };
}

/** What is said of one thing; undefined where nothing is. */
const of = (item: Item, seen: EchoFound) => {
  const finding = verdict(seen).findings.find((each) => each.item === item);
  return finding && [finding.mark, ...finding.codes];
};

describe("each thing", () => {
  test("all is well", () => {
    const all = verdict(found());
    expect(all).toMatchObject({ headline: "fine", mark: "good", network: false });
    expect(all.findings.map(({ item, mark }) => `${item} ${mark}`)).toEqual([
      "microphone good",
      "camera good",
      "sound good",
      "picture good",
      "direct good",
      "relay good",
    ]);
  });

  test.each<[string, Partial<Facts>, unknown]>([
    ["silent", { loudest: 0.0001 }, ["bad", "mic_silent"]],
    ["faint", { loudest: 0.001 }, ["warn", "mic_faint"]],
    ["muted", { unmuted: false, loudest: undefined }, ["none", "mic_muted"]],
    ["refused", { problems: { audio: "denied" } }, ["bad", "mic_problem"]],
    ["not told, but heard", { loudest: undefined }, ["good", "mic_good"]],
    ["not told at all", { loudest: undefined, soundEnergy: undefined }, undefined],
  ])("a microphone that is %s", (_, facts, want) => expect(of("microphone", found(facts))).toEqual(want));

  test.each<[string, Partial<Facts>, unknown]>([
    ["dark", { brightest: 5 }, ["warn", "camera_dark"]],
    ["still", { cameraFrames: 0 }, ["bad", "camera_still"]],
    ["off", { filming: false }, ["none", "camera_off"]],
    ["taken", { problems: { video: "in_use" } }, ["bad", "camera_problem"]],
    ["not told of", { cameraFrames: undefined }, undefined],
    ["not of this call", { video: false, filming: false }, undefined],
  ])("a camera that is %s", (_, facts, want) => expect(of("camera", found(facts))).toEqual(want));

  test.each<[string, Partial<Facts>, unknown]>([
    ["does not come", { soundPackets: 0, soundEnergy: 0 }, ["bad", "sound_none"]],
    ["comes and is not played", { soundEnergy: 0 }, ["warn", "sound_unplayed"]],
    ["comes, of a browser that tells no energy", { soundEnergy: undefined }, ["good", "sound_good"]],
    ["of a silent microphone", { loudest: 0, soundEnergy: 0 }, undefined],
    ["of a muted one", { unmuted: false }, undefined],
  ])("sound that %s", (_, facts, want) => expect(of("sound", found(facts))).toEqual(want));

  test.each<[string, Partial<Facts>, unknown]>([
    ["does not come", { pictureFrames: 0 }, ["bad", "picture_none"]],
    ["comes, of a browser that counts packets alone", { pictureFrames: undefined }, ["good", "picture_good"]],
    ["was never sent", { cameraFrames: 0, pictureFrames: 0 }, undefined],
    ["is not wanted", { video: false, filming: false }, undefined],
  ])("a picture that %s", (_, facts, want) => expect(of("picture", found(facts))).toEqual(want));

  test.each<[string, Way | undefined, unknown]>([
    ["udp", works(over("udp")), ["good", "relay_udp"]],
    ["tcp", works(over("tcp")), ["warn", "relay_tcp"]],
    ["tls", works(over("tls")), ["warn", "relay_tls"]],
    ["a way that is not told", works(over()), ["good", "relay_good"]],
    ["no way", broken, ["bad", "relay_failed"]],
    ["udp with loss", works(over("udp"), { loss: 0.03 }), ["warn", "relay_udp", "lossy"]],
    ["udp, far", works(over("udp"), { rttMs: 200 }), ["warn", "relay_udp", "slow"]],
    ["nothing that was tested", undefined, undefined],
  ])("the relay over %s", (_, relay, want) =>
    expect(of("relay", found({}, { direct: works(straight), relay }))).toEqual(want),
  );

  test("no direct way is no fault while the relay works", () => {
    expect(of("direct", found({}, { direct: broken, relay: works(over("udp")) }))).toEqual([
      "none",
      "direct_relay",
    ]);
    expect(of("direct", found({}, { direct: broken, relay: broken }))).toEqual(["bad", "direct_failed"]);
    expect(of("direct", found({}, { direct: works(straight, { loss: 0.1 }) }))).toEqual([
      "warn",
      "direct_good",
      "lossy",
    ]);
  });

  test("where nothing connected, nothing is said of what would have come back", () => {
    const { findings } = verdict(
      found({ soundPackets: 0, pictureFrames: 0, cameraFrames: 0 }, { direct: broken, relay: broken }),
    );
    expect(findings.map(({ item }) => item)).toEqual(["microphone", "direct", "relay"]);
  });
});

describe("the headline", () => {
  test.each<[Headline, Partial<Facts>, EchoFound["ways"], boolean, boolean]>([
    ["fine", {}, bothWays, true, false],
    ["fine", {}, { relay: works(over("udp")) }, true, false],
    ["through_relay", {}, { direct: broken, relay: works(over("udp")) }, true, false],
    ["some", {}, { direct: broken, relay: works(over("tcp")) }, true, false],
    ["devices", { problems: { audio: "denied" } }, bothWays, true, false],
    [
      "direct_only",
      { problems: { audio: "denied" } },
      { direct: works(straight), relay: broken },
      true,
      true,
    ],
    ["none", {}, { direct: broken, relay: broken }, true, true],
    ["partial", {}, { direct: works(straight) }, false, false],
    ["devices", { loudest: 0 }, { direct: works(straight) }, false, false],
  ])("%s", (headline, facts, ways, complete, network) => {
    expect(verdict(found(facts, ways, complete))).toMatchObject({ headline, network });
  });
});

const languages = ["en", "zh-CN"] as const;
const keys = Object.keys(echoTexts.en) as EchoKey[];
const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

describe("the words", () => {
  test.each(keys)("%s says something in both languages, with the same values", (key) => {
    expect(echoTexts.en[key].trim()).not.toBe("");
    expect(echoTexts["zh-CN"][key].trim()).not.toBe("");
    expect(holes(echoTexts["zh-CN"][key])).toEqual(holes(echoTexts.en[key]));
  });

  test("a device that could not be used is told of as in a call", () => {
    const facts: Facts = { ...good, problems: { audio: "in_use", video: "missing" } };
    const say = (code: Code, item: Item) =>
      told({ item, mark: "bad", codes: [code] }, facts, echoSay("en"), (key) => translate("en", key));
    expect(say("mic_problem", "microphone")).toContain("Another program holds the microphone");
    expect(say("camera_problem", "camera")).toContain("No camera was found");
  });

  test.each<[Partial<Way>, string]>([
    [{ rttMs: 0.4, loss: 0, upKbps: 36, downKbps: 35 }, "under 1 ms · 0 % lost · ↑ 36 ↓ 35 kbit/s"],
    [{ rttMs: 12.4, loss: 0.0123, upKbps: 1_250, downKbps: 980 }, "12 ms · 1.2 % lost · ↑ 1.3 ↓ 1.0 Mbit/s"],
    [{ loss: 0.256, upKbps: 900 }, "26 % lost"],
    [{}, ""],
  ])("the figures of %j", (way, want) => {
    expect(figures({ works: true, ...way }, echoSay("en")).replace(/\u00a0/g, " ")).toBe(want);
  });
});

describe("the card", () => {
  const render = (language: Language, seen: EchoFound) => {
    const t = (key: Key) => translate(language, key);
    const app = { settings: { language: { value: language }, t } } as unknown as App;
    return renderToString(h(Provide, { value: app, children: h(EchoVerdict, { found: seen }) }));
  };

  test("is a region with an item for each thing, by the names that tests rely on", () => {
    const html = render("en", found());
    expect(html).toContain('<section class="echo-card" aria-label="Echo test result">');
    expect(
      [...html.matchAll(/<li class="finding \w+" aria-label="([^"]+)"/g)].map((match) => match[1]),
    ).toEqual([
      "Microphone",
      "Camera",
      "Returned sound",
      "Returned picture",
      "Direct way",
      "Through the relay",
    ]);
    expect(html).toContain("Everything works. Calls from here will work.");
  });

  test.each(languages)("says whole sentences in %s, whatever was found", (language) => {
    const ways = [
      bothWays,
      { direct: broken, relay: works(over("tls"), { loss: 0.2, rttMs: 900 }) },
      { direct: broken, relay: broken },
    ];
    const facts: Partial<Facts>[] = [
      {},
      { loudest: 0, brightest: 0 },
      { problems: { audio: "denied", video: "in_use" } },
    ];
    for (const way of ways) {
      for (const fact of facts) {
        const html = render(language, found(fact, way));
        expect(html).not.toMatch(/[{}]|undefined|NaN/);
      }
    }
  });
});

describe("the echo among the people", () => {
  const [echo, bob] = [
    { id: echoID, name: "Echo test", status: "free" as const },
    { id: "bob", name: "Bob", status: "free" as const },
  ];

  test("is nobody of them, and is there while the server says so", () => {
    const people = new People();
    people.snapshot([echo, bob]);
    expect(people.all.value).toEqual([bob]);
    expect(people.echo.value).toEqual(echo);
    expect(people.find(echoID)).toEqual(echo);
    people.update([{ ...echo, status: "offline" }]);
    expect(people.echo.value).toBeUndefined();
    expect(people.find(echoID)).toBeUndefined();
    expect(people.all.value).toEqual([bob]);
  });

  test("looks like nobody's name", () => {
    const people = new People();
    people.setAccounts([{ id: "eve", name: "Echo test" }]);
    people.snapshot([echo]);
    expect([...people.alike.value]).toEqual([]);
  });
});
