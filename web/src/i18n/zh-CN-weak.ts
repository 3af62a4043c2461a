import type { weak as en } from "./en-weak";

export const weak: Record<keyof typeof en, string> = {
  "weak.sound_only": "仅声音",
  "weak.save_data": "节省流量",
  "weak.own_paused": "网络较弱：已暂停您的画面以保证声音",
  "weak.peer_paused": "网络较弱：已暂停{name}的画面以保证声音",
  "weak.own_sound_only": "仅声音：不发送也不接收画面",
  "weak.peer_sound_only": "{name}只需要声音：您的画面未发送",
  "weak.peer_save_data": "{name}正在节省流量：您的画面以小尺寸发送",
};
