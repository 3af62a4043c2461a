import type { media as en } from "./en-media";

export const media: Record<keyof typeof en, string> = {};
