import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { FileState } from "../../files/types";
import type { FileInfo } from "../../protocol/texts";
import { useApp } from "../context";
import { LineIcon } from "../icons";
import { useContent } from "./content";
import { glyphs } from "./glyphs";
import { bytes, saveFrom } from "./words";

/** Pictures up to this size are loaded by themselves. */
const mostByItself = 1 << 20;
/** The largest box of a picture in a conversation, in CSS pixels. */
const widest = 300;
const highest = 340;

export function Picture({ info, state }: { info: FileInfo; state: FileState }): JSX.Element {
  const app = useApp();
  const { t, language } = app.settings;
  const here = app.files.sends(info.file) || state.kind === "here";
  const [asked, setAsked] = useState(false);
  const [large, setLarge] = useState(false);
  const [broken, setBroken] = useState(false);
  const url = useContent(info, state, here || asked || info.size <= mostByItself);
  const box = fit(info);
  if (url === undefined || broken) {
    const waits = state.kind === "kept" && info.size > mostByItself && !broken;
    return (
      <div class="picture-place" style={box}>
        <LineIcon path={glyphs.picture} size={32} />
        {waits && (
          <button type="button" class="file-action" onClick={() => setAsked(true)}>
            {t("files.show_picture", { size: bytes(info.size, language.value) })}
          </button>
        )}
      </div>
    );
  }
  const image = (
    <img
      src={url}
      alt={t("files.picture", { name: info.name })}
      loading="lazy"
      decoding="async"
      {...(info.width && info.height ? { width: info.width, height: info.height } : {})}
      onError={() => setBroken(true)}
    />
  );
  return (
    <>
      <button type="button" class="picture" style={box} onClick={() => setLarge(true)}>
        {image}
      </button>
      {large && <Large url={url} info={info} onClose={() => setLarge(false)} />}
    </>
  );
}

function Large({ url, info, onClose }: { url: string; info: FileInfo; onClose: () => void }): JSX.Element {
  const { t } = useApp().settings;
  return (
    <div
      class="picture-large"
      role="dialog"
      aria-modal="true"
      aria-label={t("files.picture", { name: info.name })}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <img src={url} alt={t("files.picture", { name: info.name })} onClick={onClose} />
      <div class="picture-large-bar">
        <button
          type="button"
          class="button"
          aria-label={t("files.save_named", { name: info.name })}
          onClick={() => saveFrom(url, info.name)}
        >
          {t("files.save")}
        </button>
        <button type="button" class="button" ref={(button) => button?.focus()} onClick={onClose}>
          {t("account.close")}
        </button>
      </div>
    </div>
  );
}

/** The place that the picture takes, known before it has come, so that nothing jumps. */
function fit({ width, height }: FileInfo): JSX.CSSProperties {
  if (!width || !height) return { width: `${widest}px`, maxWidth: "100%", minHeight: "120px" };
  const scale = Math.min(1, widest / width, highest / height);
  return {
    width: `${Math.max(96, Math.round(width * scale))}px`,
    maxWidth: "100%",
    aspectRatio: `${width} / ${height}`,
  };
}
