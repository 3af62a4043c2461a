import type { ComponentType, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { echoID } from "../../protocol/messages";
import { useApp } from "../context";
import { LineIcon } from "../icons";
import { glyphs } from "./glyphs";
import type { SendFilesProps } from "./SendFiles";

const mostAtOnce = 20;

/** Attaches files: by its button, by dropping them on the conversation, by pasting pictures. */
export function FileButton({ chat }: { chat: string }): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const button = useRef<HTMLButtonElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const [chosen, setChosen] = useState<File[]>([]);
  const [dropping, setDropping] = useState(false);
  const usable = chat !== echoID;
  useEffect(() => {
    const place = button.current?.closest<HTMLElement>(".conversation");
    if (!place || !usable) return undefined;
    return receive(place, setChosen, setDropping);
  }, [chat]);
  if (!usable) return null;
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        class="sr-only"
        tabIndex={-1}
        aria-hidden="true"
        onChange={(event) => {
          setChosen([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
      <button
        ref={button}
        type="button"
        class="round ghost"
        aria-label={t("files.attach")}
        onClick={() => input.current?.click()}
      >
        <LineIcon path={glyphs.clip} size={24} />
      </button>
      {dropping && (
        <div class="file-drop" aria-hidden="true">
          <LineIcon path={glyphs.save} size={40} />
          <p>{t("files.drop_here")}</p>
        </div>
      )}
      {chosen.length > 0 && (
        <OnDemand
          chat={chat}
          chosen={chosen.slice(0, mostAtOnce)}
          more={chosen.length > mostAtOnce}
          onClose={() => setChosen([])}
        />
      )}
    </>
  );
}

function OnDemand(props: SendFilesProps): JSX.Element | null {
  const [loaded, setLoaded] = useState<{ Dialog: ComponentType<SendFilesProps> }>();
  useEffect(() => {
    import("./SendFiles").then(({ SendFiles }) => setLoaded({ Dialog: SendFiles }), props.onClose);
  }, []);
  return loaded ? <loaded.Dialog {...props} /> : null;
}

/** Listens to files that are dropped on a place or pasted in it. */
function receive(
  place: HTMLElement,
  onFiles: (files: File[]) => void,
  onOver: (over: boolean) => void,
): () => void {
  let depth = 0;
  const carries = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  const enter = (event: DragEvent) => {
    if (!carries(event)) return;
    event.preventDefault();
    depth += 1;
    onOver(true);
  };
  const leave = () => {
    depth = Math.max(0, depth - 1);
    if (depth === 0) onOver(false);
  };
  const over = (event: DragEvent) => {
    if (carries(event)) event.preventDefault();
  };
  const drop = (event: DragEvent) => {
    if (!carries(event)) return;
    event.preventDefault();
    depth = 0;
    onOver(false);
    onFiles([...(event.dataTransfer?.files ?? [])]);
  };
  const paste = (event: ClipboardEvent) => {
    const files = [...(event.clipboardData?.files ?? [])];
    // Office programs put a picture beside the text that is meant.
    if (files.length === 0 || event.clipboardData?.types.includes("text/plain")) return;
    event.preventDefault();
    onFiles(files);
  };
  place.addEventListener("dragenter", enter);
  place.addEventListener("dragleave", leave);
  place.addEventListener("dragover", over);
  place.addEventListener("drop", drop);
  place.addEventListener("paste", paste);
  return () => {
    place.removeEventListener("dragenter", enter);
    place.removeEventListener("dragleave", leave);
    place.removeEventListener("dragover", over);
    place.removeEventListener("drop", drop);
    place.removeEventListener("paste", paste);
  };
}
