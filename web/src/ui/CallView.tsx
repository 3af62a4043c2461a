import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Call } from "../call/types";
import { echoID } from "../protocol/messages";
import { Avatar } from "./Avatar";
import { CallControls } from "./CallControls";
import { CallGauges, Moved, MutedHint } from "./CallGauges";
import { CallsBeside } from "./CallsBeside";
import { useApp } from "./context";
import { EchoPlace } from "./EchoPlace";
import { Icon } from "./icons";
import { Problems } from "./Problems";
import { RecordingSign } from "./Recording";
import { WeakNotes } from "./WeakNotes";
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
        {talking && <CallGauges />}
      </header>
      <CallsBeside call={call} />
      <Problems call={call} />
      <Moved call={call} />
      <RecordingSign call={call} />
      <Preview call={call} />
      {peer.id === echoID && <EchoPlace call={call} />}
      <MutedHint />
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

/** The other side: sound, and the picture or who it is and why there is none. */
function Remote({ call }: { call: Call }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { sound, picture, flow } = app.calls.session;
  const [frames, setFrames] = useState(false);
  const video = usePlayed<HTMLVideoElement>(call.held ? undefined : picture.value);
  const audio = usePlayed<HTMLAudioElement>(call.held ? undefined : sound.value);
  useSpeaker(audio.ref, app.devices.speaker.value);
  useEffect(() => setFrames(false), [picture.value]);
  const { peerMedia, peer } = call;
  const sends = peerMedia ? peerMedia.video || peerMedia.screen : true;
  const talking = call.stage === "connected" || call.stage === "lost";
  const held = call.held || flow.value?.peerPaused || app.thrift.soundOnly.value;
  const visible = sends && frames && talking && !held;
  return (
    <div
      class={`remote ${app.calls.session.instruments.levels.peerSpeaks.value && !peerMedia?.held ? "speaks" : ""}`}
    >
      <audio ref={audio.ref} autoplay />
      <video
        ref={video.ref}
        class={`remote-picture ${visible ? "" : "hidden"} ${peerMedia?.screen ? "screen" : ""}`}
        autoplay
        playsInline
        muted
        aria-label={t("call.picture", { name: peer.name })}
        onResize={(event) => setFrames(event.currentTarget.videoWidth > 2)}
      />
      {!visible && (
        <div class={`remote-person ${call.stage === "ringing" ? "pulse" : ""}`}>
          <Avatar of={peer} size="big" />
        </div>
      )}
      {talking && !call.held && <RemoteNotes call={call} sends={sends} />}
      {audio.blocked && (
        <button type="button" class="button primary hear" onClick={audio.play}>
          <Icon name="speaker" />
          <span>{t("call.tap_to_hear")}</span>
        </button>
      )}
    </div>
  );
}

function RemoteNotes({ call, sends }: { call: Call; sends: boolean }): JSX.Element {
  const { t } = useApp().settings;
  const { peerMedia, peer } = call;
  if (peerMedia?.held)
    return (
      <div class="remote-notes" role="status">
        <p class="chip">
          <Icon name="history" size={18} />
          <span>{t("call.peer_held", { name: peer.name })}</span>
        </p>
      </div>
    );
  return (
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
      <WeakNotes call={call} />
    </div>
  );
}

/** Plays a stream in an element, and tells when the browser wants a tap before it sounds. */
function usePlayed<T extends HTMLMediaElement>(stream: MediaStream | undefined) {
  const ref = useRef<T>(null);
  const [blocked, setBlocked] = useState(false);
  const play = () => {
    ref.current?.play().then(
      () => setBlocked(false),
      (error: unknown) => setBlocked(error instanceof DOMException && error.name === "NotAllowedError"),
    );
  };
  useEffect(() => {
    if (!ref.current) return;
    ref.current.srcObject = stream ?? null;
    setBlocked(false);
    if (stream) play();
  }, [stream]);
  return { ref, blocked, play };
}

/** Plays on the chosen speaker, where the browser lets a page choose. */
function useSpeaker(ref: { current: HTMLMediaElement | null }, speaker: string): void {
  useEffect(() => {
    const element = ref.current;
    if (!element || typeof element.setSinkId !== "function" || element.sinkId === speaker) return;
    // Unplugged this very moment: the list will tell, and then it plays on another one.
    element.setSinkId(speaker).catch(() => undefined);
  }, [speaker]);
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
      {call.own.video && !screen && call.own.cameras > 1 && (
        <button
          type="button"
          class="preview-flip"
          aria-label={t("call.switch_camera")}
          title={t("call.switch_camera")}
          disabled={call.own.asking}
          onClick={() => void app.calls.session.own?.switchCamera()}
        >
          <Icon name="flip" size={22} />
        </button>
      )}
    </div>
  );
}
