import { describe, expect, test } from "vitest";
import { chooseLanguage, messages, translate, type Key } from "../src/i18n";

const keys = Object.keys(messages.en) as Key[];
const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

describe("the two languages", () => {
  test("have the same keys", () => {
    expect(Object.keys(messages["zh-CN"]).sort()).toEqual([...keys].sort());
  });

  test.each(keys)("%s says something in both, with the same values", (key) => {
    const { en, "zh-CN": zh } = messages;
    expect(en[key].trim()).not.toBe("");
    expect(zh[key].trim()).not.toBe("");
    expect(new Set(holes(zh[key]))).toEqual(new Set(holes(en[key])));
  });

  test("the names that tests and people rely on", () => {
    const { en } = messages;
    const named = [
      en["field.id"],
      en["field.name"],
      en["field.password"],
      en["start.create"],
      en["start.sign_in"],
    ];
    expect(named).toEqual(["User ID", "Name", "Password", "Create account", "Sign in"]);
    expect(translate("en", "roster.video", { name: "Bob" })).toBe("Video call Bob");
    expect(translate("en", "roster.audio", { name: "Bob" })).toBe("Audio call Bob");
    expect(translate("en", "roster.message", { name: "Bob" })).toBe("Message Bob");
    expect([en["incoming.accept"], en["incoming.decline"], en["account.sign_out"]]).toEqual([
      "Accept",
      "Decline",
      "Sign out",
    ]);
    const controls = [en["call.hang_up"], en["call.mute"], en["call.camera_off"], en["call.share_screen"]];
    expect(controls).toEqual(["Hang up", "Mute", "Camera off", "Share screen"]);
    expect([en["text.box"], en["text.send"]]).toEqual(["Message", "Send"]);
  });
});

describe("translate", () => {
  test("puts values in as they are, once", () => {
    expect(translate("en", "roster.video", { name: "{name} $& <b>" })).toBe("Video call {name} $& <b>");
  });
});

describe("chooseLanguage", () => {
  test.each([
    [["zh-CN"], "zh-CN"],
    [["zh-TW", "en"], "zh-CN"],
    [["de-DE", "en-GB"], "en"],
    [["de-DE"], "en"],
    [[null, undefined, "zh"], "zh-CN"],
    [["__proto__", "zh-Hans-CN"], "zh-CN"],
    [[], "en"],
  ] as const)("%j is %s", (wishes, want) => {
    expect(chooseLanguage(wishes)).toBe(want);
  });
});
