import type { JSX } from "preact";
import { useApp } from "../context";

/** Common ones, as characters of the device's own font. */
const common =
  "👍 👎 👌 🙏 👏 💪 👋 🤝 ✋ 👀 😀 😂 🙂 😉 😊 😍 😘 😎 🤔 😐 😴 😢 😭 😱 😡 🤒 🤕 😷 ❤️ 💔 🎉 🔥 ✅ ❌ ❗ ❓ ⚠️ 🆘 ⛑️ 🚑 🚒 🏥 🏠 ⛺ 🚗 🚚 🚁 ⛽ 🔋 📞 📷 📍 🗺️ ⏰ ☀️ 🌧️ ❄️ 💧 🍞 ☕ 💊 🩹 👶 🐕".split(
    " ",
  );

export function EmojiPicker({ onPick }: { onPick: (emoji: string) => void }): JSX.Element {
  const { t } = useApp().settings;
  return (
    <div class="emoji" role="group" aria-label={t("chat.emoji")}>
      {common.map((emoji) => (
        <button type="button" key={emoji} onClick={() => onPick(emoji)}>
          {emoji}
        </button>
      ))}
    </div>
  );
}
