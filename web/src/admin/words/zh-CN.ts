import type { Messages } from "./en";
import { general } from "./zh-CN-general";
import { network } from "./zh-CN-network";

export const zhCN: Messages = { ...general, ...network };
