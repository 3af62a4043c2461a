import { announce } from "./en-announce";
import { codes } from "./en-codes";
import { general } from "./en-general";
import { network } from "./en-network";

export type Announce = Record<keyof typeof announce, string>;
export type Codes = Record<keyof typeof codes, string>;
export type General = Record<keyof typeof general, string>;
export type Network = Record<keyof typeof network, string>;
export type Messages = Announce & Codes & General & Network;

export const en: Messages = { ...general, ...network, ...codes, ...announce };
