import type { announce as en } from "./en-announce";

export const announce: Record<keyof typeof en, string> = {
  "announce.title": "通知",
  "announce.to_group": "发给 {tag}",
  "announce.to_all": "发给所有人",
  "announce.count": "有 {n} 条通知等您查看",
  "announce.next": "下一条：{text}",
  "announce.seen": "我已看到",
  "announce.notify": "{name} 发来通知",
  "api.invalid_text": "请写 1 到 2000 字节的文字，不含控制字符。",
  "attention.label": "有人正在向所有人喊话",
  "attention.speaks": "{name} 正在向所有人喊话",
  "attention.connecting": "正在连接…",
  "attention.leave": "停止收听",
  "attention.tap": "点按收听",
  "api.attention_busy": "有人正在喊话，请等结束。",
  "api.no_audience": "没有人能收到。请选择所有人，或另一个组。",
};
