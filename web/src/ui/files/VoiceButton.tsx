import type { ComponentType, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Recorder } from "../../files/recorder";
import { echoID } from "../../protocol/messages";
import { useApp } from "../context";
import { Icon } from "../icons";
import type { VoicePanelProps } from "./VoicePanel";

/** Holding the button at least so long means that letting go ends the recording. */
const holdMs = 500;

/** Records a voice message: hold it while speaking, or tap it to start and to stop. */
export function VoiceButton({ chat }: { chat: string }): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const [open, setOpen] = useState<{ recorder: Recorder; Panel: ComponentType<VoicePanelProps> }>();
  const [busy, setBusy] = useState(false);
  const held = useRef<{ since: number; over: boolean }>();
  useEffect(() => () => open?.recorder.discard(), [open]);
  useEffect(() => setOpen(undefined), [chat]);
  if (chat === echoID || typeof MediaRecorder === "undefined") return null;
  const start = async () => {
    if (app.calls.busy) {
      setBusy(true);
      return;
    }
    const press = { since: performance.now(), over: false };
    held.current = press;
    try {
      const [{ browserRecorder }, { VoicePanel }] = await Promise.all([
        import("../../files/recorder"),
        import("./VoicePanel"),
      ]);
      const recorder = browserRecorder(app.deps.timers);
      setOpen({ recorder, Panel: VoicePanel });
      await recorder.start();
      if (press.over && recorder.state.value.kind === "recording") recorder.stop();
    } catch (error) {
      app.deps.onProblem(`voice: ${String(error)}`);
      setOpen(undefined);
    }
  };
  const letGo = () => {
    const press = held.current;
    held.current = undefined;
    if (!press || performance.now() - press.since < holdMs) return;
    press.over = true;
    open?.recorder.stop();
  };
  return (
    <>
      <button
        type="button"
        class="round ghost"
        aria-label={t("voice.record")}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          setBusy(false);
          event.currentTarget.setPointerCapture(event.pointerId);
          void start();
        }}
        onPointerUp={letGo}
        onPointerCancel={letGo}
        onContextMenu={(event) => event.preventDefault()}
        onKeyDown={(event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          if (!event.repeat) void start();
        }}
      >
        <Icon name="mic" />
      </button>
      {busy && (
        <p class="voice-hint" role="alert">
          {t("voice.in_call")}
        </p>
      )}
      {open && <open.Panel chat={chat} recorder={open.recorder} onClose={() => setOpen(undefined)} />}
    </>
  );
}
