import type { GlyphName } from "./glyphs";

/** The dashboard's sections, by what stands in the address. */
export const sections = [
  { id: "overview", icon: "overview" },
  { id: "calls", icon: "calls" },
  { id: "people", icon: "people" },
  { id: "announcements", icon: "announcements" },
  { id: "relay", icon: "relay" },
  { id: "segments", icon: "segments" },
  { id: "path-test", icon: "test" },
  { id: "log", icon: "log" },
] as const satisfies readonly { id: string; icon: GlyphName }[];

export type SectionID = (typeof sections)[number]["id"];

/** The section of an address; the first for one that there is not. */
export const sectionOf = (id: string | undefined): SectionID =>
  sections.find((section) => section.id === id)?.id ?? "overview";
