import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "./context";
import { Icon } from "./icons";
import { duration } from "./words";
import "../style/announce.css";

/** An administrator speaks: who, and the voice. */
export function AttentionBanner(): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const { value: heard } = app.attention.heard;
  const { value: stream } = app.attention.sound;
  const audio = useRef<HTMLAudioElement>(null);
  const [blocked, setBlocked] = useState(false);
  const play = () => {
    const element = audio.current;
    if (!element || !stream) return;
    if (element.srcObject !== stream) element.srcObject = stream;
    element.play().then(
      () => setBlocked(false),
      // What was cut short by a newer stream is no refusal.
      (error: unknown) => setBlocked((error as DOMException).name === "NotAllowedError"),
    );
  };
  useEffect(play, [stream]);
  if (!heard) return null;
  return (
    <>
      <section class="attention" role="alert" aria-label={t("attention.label")}>
        <span class={`attention-sign ${heard.connected ? "live" : ""}`}>
          <Icon name="speaker" size={26} />
        </span>
        <p>
          <b dir="auto">{t("attention.speaks", { name: heard.from.name })}</b>
          <span>{heard.connected ? <Clock since={heard.since} /> : t("attention.connecting")}</span>
        </p>
        <button type="button" class="attention-leave" onClick={() => app.attention.leave()}>
          {t("attention.leave")}
        </button>
        <audio ref={audio} autoplay />
      </section>
      {blocked && (
        <div class="scrim attention-scrim">
          <button type="button" class="attention-tap" onClick={play}>
            <Icon name="speaker" size={64} />
            <span>{t("attention.tap")}</span>
            <small dir="auto">{t("attention.speaks", { name: heard.from.name })}</small>
          </button>
        </div>
      )}
    </>
  );
}

function Clock({ since }: { since: number }): JSX.Element {
  const app = useApp();
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  return <span class="digits">{duration(Math.max(0, app.clock.now() - since) / 1000)}</span>;
}
