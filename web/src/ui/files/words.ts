import type { FileProblem, FileState } from "../../files/types";
import type { Key, Values } from "../../i18n";
import { fileURL } from "../../protocol/fileApi";
import type { FileInfo } from "../../protocol/texts";
import { apiWord } from "../words";

const units = ["B", "KB", "MB", "GB"];

/** A number of bytes as people read it. */
export function bytes(count: number, language: string): string {
  let unit = 0;
  let value = count;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = value < 10 && unit > 0 ? 1 : 0;
  return `${value.toLocaleString(language, { maximumFractionDigits: digits })} ${units[unit]!}`;
}

const problems: Partial<Record<FileProblem, Key>> = {
  cancelled: "files.cancelled",
  changed: "files.changed",
  unreadable: "files.unreadable",
  no_room: "files.no_room",
  choose: "files.must_choose",
  not_found: "files.no_such_file",
};

export const fileProblem = (problem: FileProblem): Key =>
  problems[problem] ?? apiWord(problem as Parameters<typeof apiWord>[0]);

type Words = (key: Key, values?: Values) => string;

/** Where a file stands, in a line. */
export function stateLine(
  state: FileState,
  info: FileInfo,
  mine: boolean,
  t: Words,
  language: string,
): string {
  const size = bytes(info.size, language);
  switch (state.kind) {
    case "unknown":
      return size;
    case "awaited":
      return state.done > 0
        ? t("files.awaited_part", { done: bytes(state.done, language), size })
        : `${size} · ${t("files.awaited")}`;
    case "offered":
      return `${size} · ${t("files.offered")}`;
    case "moving": {
      const key: Key = mine ? `files.sending_${state.way}` : `files.getting_${state.way}`;
      return `${t("files.progress", { done: bytes(state.done, language), size })} · ${t(key)}`;
    }
    case "kept": {
      const date = new Date(state.until).toLocaleDateString(language, { day: "numeric", month: "short" });
      return `${size} · ${t("files.kept", { date })}`;
    }
    case "here":
      return `${size} · ${t("files.here")}`;
    case "given":
      return `${size} · ${t("files.given")}`;
    case "stopped":
      return t(fileProblem(state.problem));
  }
}

/** Pictures that browsers show without running anything. */
export const isPicture = ({ type }: { type: string }): boolean =>
  /^image\/(png|jpeg|gif|webp|avif)$/.test(type);

/** Lets the browser save what is at an address of this page's own; it is never opened as a page. */
export function saveFrom(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

/** Saves what is on this device, under no type that could run. */
export function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(new Blob([content], { type: "application/octet-stream" }));
  saveFrom(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

export { fileURL };
