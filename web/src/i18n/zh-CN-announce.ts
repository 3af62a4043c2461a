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
  "api.no_audience": "没有人能收到。请选择所有人，或另一个组。",
};
