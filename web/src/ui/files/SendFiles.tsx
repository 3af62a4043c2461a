import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Dialog } from "../Dialog";
import { useApp } from "../context";
import { Icon, LineIcon } from "../icons";
import { glyphs } from "./glyphs";
import { previewOf, type Preview } from "./preview";
import { bytes } from "./words";

export interface SendFilesProps {
  chat: string;
  chosen: File[];
  /** More were chosen than are sent at once. */
  more: boolean;
  onClose: () => void;
}

/** Shows what is about to be sent, and sends it. */
export function SendFiles({ chat, chosen, more, onClose }: SendFilesProps): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [files, setFiles] = useState(chosen);
  const [previews, setPreviews] = useState<ReadonlyMap<File, Preview>>(new Map());
  const [refused, setRefused] = useState(false);
  const { name } = app.personNamed(chat);
  useEffect(() => {
    let over = false;
    const made: Preview[] = [];
    const make = async () => {
      for (const file of chosen) {
        const preview = await previewOf(file);
        if (!preview) continue;
        made.push(preview);
        if (over) break;
        setPreviews((all) => new Map(all).set(file, preview));
      }
      if (over) made.forEach(({ url }) => URL.revokeObjectURL(url));
    };
    void make();
    return () => {
      over = true;
      made.forEach(({ url }) => URL.revokeObjectURL(url));
    };
  }, []);
  const send = () => {
    for (const file of files) {
      const preview = previews.get(file);
      const about = preview
        ? { name: file.name, width: preview.width, height: preview.height }
        : { name: file.name };
      if (!app.files.send(chat, file, preview ? "picture" : "file", about)) {
        setRefused(true);
        setFiles(files.slice(files.indexOf(file)));
        return;
      }
    }
    onClose();
  };
  const leaveOut = (file: File) => {
    const left = files.filter((each) => each !== file);
    if (left.length === 0) onClose();
    else setFiles(left);
  };
  return (
    <Dialog label={t("files.send_title")} class="send-files" onEscape={onClose}>
      <h2>
        {files.length === 1
          ? t("files.send_one", { name })
          : t("files.send_many", { name, count: String(files.length) })}
      </h2>
      <ul class="chosen">
        {files.map((file) => (
          <Chosen
            key={file.name + file.size}
            file={file}
            preview={previews.get(file)}
            onLeaveOut={leaveOut}
          />
        ))}
      </ul>
      {more && <p class="hint">{t("files.too_many_at_once", { count: String(chosen.length) })}</p>}
      {refused && (
        <p class="field-error" role="alert">
          {t("files.not_sent")}
        </p>
      )}
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={onClose}>
          {t("files.cancel")}
        </button>
        <button type="button" class="button primary" data-first onClick={send}>
          {t("files.send")}
        </button>
      </div>
    </Dialog>
  );
}

interface ChosenProps {
  file: File;
  preview: Preview | undefined;
  onLeaveOut: (file: File) => void;
}

function Chosen({ file, preview, onLeaveOut }: ChosenProps): JSX.Element {
  const { t, language } = useApp().settings;
  return (
    <li>
      {preview ? (
        <img src={preview.url} alt={t("files.picture", { name: file.name })} />
      ) : (
        <span class="file-icon">
          <LineIcon path={glyphs.file} size={24} />
        </span>
      )}
      <span class="file-words">
        <b class="file-name" dir="auto">
          {file.name}
        </b>
        <span class="file-state">{bytes(file.size, language.value)}</span>
      </span>
      <button
        type="button"
        class="round ghost"
        aria-label={t("files.leave_out", { name: file.name })}
        onClick={() => onLeaveOut(file)}
      >
        <Icon name="close" size={20} />
      </button>
    </li>
  );
}
