import type { JSX } from "preact";
import type { Call } from "../call/types";
import { useApp } from "./context";
import { Icon, type IconName } from "./icons";

/** What a person can do during a call. */
export function CallControls({ call }: { call: Call }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { calls, view } = app;
  const media = calls.session.own;
  const { own } = call;
  const running = !["inviting", "ringing"].includes(call.stage);
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
            onClick={() => void media?.setAudio(!own.audio)}
          />
          <Control
            icon={own.video ? "video" : "videoOff"}
            off={!own.video}
            label={own.video ? t("call.camera_off") : t("call.camera_on")}
            disabled={own.asking}
            onClick={() => void media?.setVideo(!own.video)}
          />
          {own.video && own.cameras > 1 && (
            <Control icon="flip" label={t("call.switch_camera")} onClick={() => void media?.switchCamera()} />
          )}
          {calls.canShareScreen && (
            <Control
              icon="screen"
              on={own.screen}
              label={own.screen ? t("call.stop_sharing") : t("call.share_screen")}
              disabled={own.asking}
              onClick={() => void (own.screen ? media?.stopScreen() : media?.shareScreen())}
            />
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
}

function Control({ icon, label, onClick, off, on, danger, disabled, badge = 0 }: ControlProps): JSX.Element {
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
