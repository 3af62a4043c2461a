import type { ServerMessage } from "../protocol/messages";

export type FileAsked = Extract<ServerMessage, { type: "file.asked" }>["data"];
