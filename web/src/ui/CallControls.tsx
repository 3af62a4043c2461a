import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import type { Call } from "../call/types";
import { echoID } from "../protocol/messages";
import { CallMore, MoreItem } from "./CallMore";
import { LevelFill } from "./CallGauges";
import { useApp } from "./context";
import { Icon, type IconName } from "./icons";
import { canPip, togglePip } from "./pip";
import { RecordItem } from "./Recording";
import { ThriftItems } from "./WeakNotes";

/** What a person can do during a call. */
export function CallControls({ call }: { call: Call }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { calls, view } = app;
  const media = calls.session.own;
  const { own } = call;
  const running = !call.held && !["inviting", "ringing"].includes(call.stage);
  const holdable = running && call.stage !== "starting" && call.peer.id !== echoID;
  const unread = app.chats.unreadIn(call.peer.id);
  const texts = view.textsInCall.value;
  return (
    <div class="controls" role="group" aria-label={t("call.controls")}>
      {running && (
        <>
          <Control
            icon={own.audio ? "mic" : "micOff"}
            off={!own.audio}
            label={own.audio ? t("call.mute") : t("call.unmute")}
            disabled={own.asking}
            level={own.audio ? calls.session.instruments.levels.own : undefined}
            onClick={() => void media?.setAudio(!own.audio)}
          />
          <Control
            icon={own.video ? "video" : "videoOff"}
            off={!own.video}
            label={own.video ? t("call.camera_off") : t("call.camera_on")}
            disabled={own.asking}
            onClick={() => {
              if (!own.video) app.thrift.setSoundOnly(false);
              void media?.setVideo(!own.video);
            }}
          />
          {calls.canShareScreen && (
            <Control
              icon="screen"
              on={own.screen}
              label={own.screen ? t("call.stop_sharing") : t("call.share_screen")}
              disabled={own.asking}
              onClick={() => void (own.screen ? media?.stopScreen() : media?.shareScreen())}
            />
          )}
          {holdable && view.wide.value && (
            <Control icon="pause" label={t("held.hold")} onClick={() => calls.hold()} />
          )}
          {!view.wide.value && (
            <Control
              icon="message"
              on={texts}
              label={texts ? t("call.hide_texts") : t("call.show_texts")}
              badge={unread}
              onClick={() => (view.textsInCall.value = !texts)}
            />
          )}
          <CallMore>
            {holdable && !view.wide.value && (
              <MoreItem icon="pause" label={t("held.hold")} onClick={() => calls.hold()} />
            )}
            <MoreItem
              icon="settings"
              label={t("media.open")}
              onClick={() => (view.mediaDialog.value = "devices")}
            />
            {own.screen && (
              <MoreItem
                icon="screen"
                label={t(own.screenFor === "detail" ? "media.screen_motion" : "media.screen_detail")}
                onClick={() => media?.useScreenFor(own.screenFor === "detail" ? "motion" : "detail")}
              />
            )}
            {canPip() && (
              <MoreItem
                icon="window"
                label={t("media.small_window")}
                onClick={() => void togglePip(document.querySelector<HTMLVideoElement>(".remote-picture"))}
              />
            )}
            <RecordItem call={call} />
            <ThriftItems />
          </CallMore>
        </>
      )}
      <Control icon="hangUp" danger label={t("call.hang_up")} onClick={() => app.hangUp()} />
    </div>
  );
}

interface ControlProps {
  icon: IconName;
  label: string;
  onClick: () => void;
  off?: boolean;
  on?: boolean;
  danger?: boolean;
  disabled?: boolean;
  badge?: number;
  level?: ReadonlySignal<number>;
}

function Control({
  icon,
  label,
  onClick,
  off,
  on,
  danger,
  disabled,
  badge = 0,
  level,
}: ControlProps): JSX.Element {
  const look = danger ? "danger" : on ? "on" : off ? "off" : "";
  return (
    <button
      type="button"
      class={`control ${look}`}
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={() => onClick()}
    >
      <span class="control-disc">
        {level && <LevelFill level={level} />}
        <Icon name={icon} size={26} />
      </span>
      <span class="control-label">{label}</span>
      {badge > 0 && (
        <span class="badge" aria-hidden="true">
          {badge}
        </span>
      )}
    </button>
  );
}
