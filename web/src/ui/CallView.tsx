import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Call } from "../call/types";
import { Avatar } from "./Avatar";
import { CallControls } from "./CallControls";
import { useApp } from "./context";
import { Icon } from "./icons";
import { Problems } from "./Problems";
import { duration, stageLine } from "./words";

/** The call that rings on the other side or runs. */
export function CallView({ call }: { call: Call }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { peer, stage } = call;
  const talking = stage === "connected" || stage === "lost";
  return (
    <section class={`call ${stage}`} aria-label={t("call.label", { name: peer.name })}>
      <Remote call={call} />
      <header class="call-head">
        <h2 class="call-name">{peer.name}</h2>
        <State call={call} />
        {talking && call.since !== undefined && <Length since={call.since} />}
      </header>
      <Problems call={call} />
      <Preview call={call} />
      <CallControls call={call} />
    </section>
  );
}

/** The state in one plain line, announced when it changes. */
function State({ call }: { call: Call }): JSX.Element {
  const { t } = useApp().settings;
  const { key, more } = stageLine(call);
  const name = call.peer.name;
  const busy = call.stage !== "connected";
  return (
    <div class="call-state" role="status">
      <p class={`call-line-state ${call.stage}`}>
        {busy && <span class="spinner" aria-hidden="true" />}
        <span>{t(key, { name })}</span>
      </p>
      {more && <p class="call-more">{t(more, { name })}</p>}
    </div>
  );
}

function Length({ since }: { since: number }): JSX.Element {
  const app = useApp();
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <p class="call-length" role="timer" aria-live="off">
      {duration((app.clock.now() - since) / 1000)}
    </p>
  );
}

/** The other side: the picture, or who it is and why there is none. */
function Remote({ call }: { call: Call }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const stream = app.calls.session.remote.value;
  const video = useRef<HTMLVideoElement>(null);
  const [blocked, setBlocked] = useState(false);
  const [frames, setFrames] = useState(false);
  const play = () => {
    video.current?.play().then(
      () => setBlocked(false),
      (error: unknown) => setBlocked(error instanceof DOMException && error.name === "NotAllowedError"),
    );
  };
  useEffect(() => {
    if (!video.current || video.current.srcObject === (stream ?? null)) return;
    video.current.srcObject = stream ?? null;
    setFrames(false);
    if (stream) play();
  }, [stream]);
  const { peerMedia, peer } = call;
  const sends = peerMedia ? peerMedia.video || peerMedia.screen : true;
  const talking = call.stage === "connected" || call.stage === "lost";
  const picture = sends && frames && talking;
  return (
    <div class="remote">
      <video
        ref={video}
        class={`remote-picture ${picture ? "" : "hidden"} ${peerMedia?.screen ? "screen" : ""}`}
        autoplay
        playsInline
        aria-label={t("call.picture", { name: peer.name })}
        onResize={(event) => setFrames(event.currentTarget.videoWidth > 2)}
      />
      {!picture && (
        <div class={`remote-person ${call.stage === "ringing" ? "pulse" : ""}`}>
          <Avatar of={peer} size="big" />
        </div>
      )}
      {talking && (
        <div class="remote-notes" role="status">
          {peerMedia && !peerMedia.audio && (
            <p class="chip">
              <Icon name="micOff" size={18} />
              <span>{t("call.peer_muted", { name: peer.name })}</span>
            </p>
          )}
          {peerMedia && !sends && call.media === "video" && (
            <p class="chip">
              <Icon name="videoOff" size={18} />
              <span>{t("call.peer_camera_off", { name: peer.name })}</span>
            </p>
          )}
        </div>
      )}
      {blocked && (
        <button type="button" class="button primary hear" onClick={play}>
          <Icon name="speaker" />
          <span>{t("call.tap_to_hear")}</span>
        </button>
      )}
    </div>
  );
}

/** What this side sends. */
function Preview({ call }: { call: Call }): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const stream = app.calls.session.preview.value;
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current) video.current.srcObject = stream ?? null;
  }, [stream]);
  if (!stream) return null;
  const { mirrored, screen } = call.own;
  return (
    <div class={`preview ${mirrored && !screen ? "mirrored" : ""} ${screen ? "screen" : ""}`}>
      <video ref={video} autoplay playsInline muted aria-label={t("call.own_picture")} />
    </div>
  );
}
