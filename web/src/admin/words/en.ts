import { general } from "./en-general";
import { network } from "./en-network";

export type General = Record<keyof typeof general, string>;
export type Network = Record<keyof typeof network, string>;
export type Messages = General & Network;

export const en: Messages = { ...general, ...network };
