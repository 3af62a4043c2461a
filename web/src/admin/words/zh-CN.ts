import type { Messages } from "./en";
import { announce } from "./zh-CN-announce";
import { codes } from "./zh-CN-codes";
import { general } from "./zh-CN-general";
import { network } from "./zh-CN-network";

export const zhCN: Messages = { ...general, ...network, ...codes, ...announce };
