import type { JSX } from "preact";
import type { Call } from "../call/types";
import type { Key } from "../i18n";
import { MoreItem } from "./CallMore";
import { useApp } from "./context";
import { Icon } from "./icons";

/** Says why a picture is held back, to both people. */
export function WeakNotes({ call }: { call: Call }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const flow = app.calls.session.flow.value;
  const notes: Key[] = [];
  if (app.thrift.soundOnly.value) notes.push("weak.own_sound_only");
  if (flow?.peerPaused && !app.thrift.soundOnly.value) notes.push("weak.peer_paused");
  if (flow?.paused === "weak" && (call.own.video || call.own.screen)) notes.push("weak.own_paused");
  if (flow?.peerWants === "sound_only") notes.push("weak.peer_sound_only");
  if (flow?.peerWants === "save_data") notes.push("weak.peer_save_data");
  return (
    <>
      {notes.map((note) => (
        <p class="chip" key={note}>
          <Icon name="info" size={18} />
          <span>{t(note, { name: call.peer.name })}</span>
        </p>
      ))}
    </>
  );
}

/** What a person can give up to need less of the network; kept on the device. */
export function ThriftItems(): JSX.Element {
  const { settings, thrift } = useApp();
  const { soundOnly, saveData } = thrift;
  return (
    <>
      <MoreItem
        icon="speaker"
        on={soundOnly.value}
        label={settings.t("weak.sound_only")}
        onClick={() => thrift.setSoundOnly(!soundOnly.value)}
      />
      <MoreItem
        icon="down"
        on={saveData.value}
        label={settings.t("weak.save_data")}
        onClick={() => thrift.setSaveData(!saveData.value)}
      />
    </>
  );
}
