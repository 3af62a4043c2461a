import type { announce as en } from "./en-announce";

export const announce: Record<keyof typeof en, string> = {};
