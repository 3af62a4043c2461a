import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { FileMessage } from "../../files/files";
import type { FileState } from "../../files/types";
import { isGroup, type TextMessage } from "../../protocol/texts";
import { useApp } from "../context";
import { LineIcon } from "../icons";
import { glyphs } from "./glyphs";
import { Picture } from "./Picture";
import { VoicePlayer } from "./VoicePlayer";
import { bytes, fileURL, isPicture, save, saveFrom, stateLine } from "./words";

/** The file that goes with a message: what it is, where it stands, and what can be done. */
export function FileBubble({ message }: { message: TextMessage }): JSX.Element | null {
  const { files } = useApp();
  const { file } = message;
  const name = file?.file;
  useEffect(() => (file ? files.appear({ ...message, file }) : undefined), [name, message.rev > 0]);
  return file ? <Shown message={{ ...message, file }} /> : null;
}

function Shown({ message }: { message: FileMessage }): JSX.Element {
  const app = useApp();
  const { language, t } = app.settings;
  const { file: info } = message;
  const state = app.files.state(info.file).value;
  const mine = message.from.id === app.me?.id;
  const picture = info.kind === "picture" && isPicture(info);
  const quiet =
    info.kind !== "file" && (state.kind === "kept" || state.kind === "here" || state.kind === "given");
  return (
    <div
      class={`file ${info.kind}`}
      role="group"
      aria-label={t("files.bubble", { name: info.name, size: bytes(info.size, language.value) })}
    >
      {picture && <Picture info={info} state={state} />}
      {info.kind === "voice" && <VoicePlayer info={info} state={state} />}
      {!quiet && (
        <div class="file-row">
          {!picture && info.kind !== "voice" && (
            <span class="file-icon">
              <LineIcon path={picture ? glyphs.picture : glyphs.file} size={24} />
            </span>
          )}
          <span class="file-words">
            {info.kind !== "voice" && (
              <b class="file-name" dir="auto">
                {info.name}
              </b>
            )}
            <span
              class={`file-state ${state.kind === "stopped" ? "bad" : ""}`}
              role={state.kind === "stopped" ? "alert" : undefined}
            >
              {stateLine(state, info, mine, t, language.value)}
            </span>
          </span>
          <Actions message={message} state={state} mine={mine} />
        </div>
      )}
      {state.kind === "moving" && <Bar done={state.done} size={info.size} name={info.name} />}
    </div>
  );
}

function Bar({ done, size, name }: { done: number; size: number; name: string }): JSX.Element {
  const percent = size === 0 ? 100 : Math.floor((done / size) * 100);
  return (
    <div
      class="file-bar"
      role="progressbar"
      aria-label={name}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <progress max={100} value={percent} aria-hidden="true" />
    </div>
  );
}

interface ActionProps {
  message: FileMessage;
  state: FileState;
  mine: boolean;
}

function Actions({ message, state, mine }: ActionProps): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const { file: info } = message;
  const { name, file } = info;
  const sends = app.files.sends(file);
  const cancel = () => {
    app.files.cancel(file);
    if (!mine || !sends) return;
    // Without its content the message says nothing: it is taken back as well.
    app.chats.discard(message.message);
    void app.chats.remove(message as TextMessage).catch(() => undefined);
  };
  const button = (label: string, words: string, onClick: () => void) => (
    <button type="button" class="file-action" aria-label={label} onClick={onClick}>
      {words}
    </button>
  );
  if (state.kind === "kept" && !sends) {
    return button(t("files.save_named", { name }), t("files.save"), () => saveFrom(fileURL(file), name));
  }
  if (state.kind === "here") {
    const keep = () => void app.files.content(info).then((content) => content && save(content, name));
    return button(t("files.save_named", { name }), t("files.save"), keep);
  }
  if (state.kind === "moving" || state.kind === "offered")
    return button(t("files.cancel_named", { name }), t("files.cancel"), cancel);
  if (state.kind === "stopped" && state.problem === "choose") return <Choose file={file} />;
  if (state.kind === "stopped" && state.problem === "file_gone") return null;
  if (state.kind === "stopped" && sends && state.problem === "cancelled") return null;
  if (state.kind === "stopped")
    return button(t("files.retry"), t("files.retry"), () => app.files.retry(file));
  if (state.kind === "awaited" && !sends && !isGroup(message.chat))
    return button(t("files.get_named", { name }), t("files.get"), () => app.files.want(file));
  return null;
}

/** The browser has not kept the content: the person chooses it once more. */
function Choose({ file }: { file: string }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const input = useRef<HTMLInputElement>(null);
  const [wrong, setWrong] = useState(false);
  const take = (chosen: File | undefined) =>
    setWrong(chosen !== undefined && !app.files.chosen(file, chosen));
  return (
    <>
      <input
        ref={input}
        type="file"
        class="sr-only"
        tabIndex={-1}
        aria-hidden="true"
        onChange={(event) => take(event.currentTarget.files?.[0])}
      />
      <button type="button" class="file-action" onClick={() => input.current?.click()}>
        {t("files.choose")}
      </button>
      {wrong && (
        <span class="file-state bad" role="alert">
          {t("files.wrong_choice")}
        </span>
      )}
    </>
  );
}
