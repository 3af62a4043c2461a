import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Told } from "../../ui/action";
import { Avatar } from "../../ui/Avatar";
import { useApp } from "../../ui/context";
import { Icon } from "../../ui/icons";
import { maxBytes, type Details, type Reader, type Said } from "../state/announcing";
import { useAdmin, useWords } from "./context";
import { useAct, useErrorText } from "./errors";
import { span, when } from "./format";
import { Nothing, Panel, Tag } from "./parts";
import { Speak } from "./Speak";
import { Waiting } from "./Waiting";

/** What administrators say to all, and who has seen it. */
export function Announcements(): JSX.Element {
  const app = useApp();
  const { announcing } = useAdmin();
  const { t } = useWords();
  const errorText = useErrorText();
  useEffect(() => void announcing.load(), []);
  const { value: news } = app.announcements.news;
  useEffect(() => {
    if (news) announcing.heard(news.announcement, news.seen, news.of);
  }, [news]);
  const { value: said } = announcing.said;
  const { value: problem } = announcing.problem;
  return (
    <>
      <div class="section-head">
        <h2>{t("nav.announcements")}</h2>
        <p class="muted">{t("announce.note")}</p>
      </div>
      {problem && <Told outcome={{ good: false, text: errorText(problem) }} />}
      <Compose />
      <Speak />
      <Panel title={t("announce.said")}>
        {said === undefined ? <Waiting /> : said.length === 0 && <Nothing>{t("announce.none")}</Nothing>}
        <ol class="said" role="list">
          {said?.map((one) => (
            <One key={one.name} one={one} />
          ))}
        </ol>
      </Panel>
    </>
  );
}

function Compose(): JSX.Element {
  const app = useApp();
  const admin = useAdmin();
  const { announcing } = admin;
  const { t } = useWords();
  const [sent, setSent] = useState<number>();
  const { value: body } = announcing.body;
  const { value: bytes } = announcing.bytes;
  const { value: reach } = announcing.reach;
  const long = bytes > maxBytes;
  const ask = () => {
    const n = reach ?? 0;
    setSent(undefined);
    admin.question.value = {
      title: t("announce.send_title"),
      text: t("announce.send_text", { n }),
      action: t("announce.send_action"),
      danger: true,
      run: async () => setSent(await announcing.send()),
    };
  };
  return (
    <Panel title={t("announce.new")} class="compose">
      <div class="compose-write">
        <label>
          <span class="compose-label">{t("announce.text")}</span>
          <textarea
            rows={5}
            dir="auto"
            value={body}
            aria-describedby="announce-hint"
            aria-invalid={long}
            onInput={(event) => announcing.write(event.currentTarget.value)}
          />
        </label>
        <p id="announce-hint" class={long ? "field-error" : "hint"} role={long ? "alert" : undefined}>
          {long ? t("announce.too_long", { n: bytes, of: maxBytes }) : t("announce.text_hint")}
          {!long && bytes > maxBytes / 2 && ` ${t("announce.left", { n: bytes, of: maxBytes })}`}
        </p>
        <Audience />
        <button
          type="button"
          class="button danger solid wide"
          disabled={bytes === 0 || long || !reach}
          onClick={ask}
        >
          <Icon name="warning" size={20} />
          <span>{reach === undefined ? t("announce.new") : t("announce.send", { n: reach })}</span>
        </button>
        {sent !== undefined && <Told outcome={{ good: true, text: t("announce.sent", { n: sent }) }} />}
      </div>
      <figure class="announce-preview" aria-label={t("announce.preview")}>
        <figcaption class="compose-label">{t("announce.preview")}</figcaption>
        <div class="announce-preview-phone" aria-hidden="true">
          <p class="announce-preview-head">
            <Icon name="warning" size={18} /> {app.settings.t("announce.title")}
          </p>
          <div class="announce-preview-body">
            {app.me && (
              <p class="announce-preview-from">
                <Avatar of={app.me} size="small" /> {app.me.name}
              </p>
            )}
            <p class={body.length > 240 ? "long" : ""} dir="auto">
              {body.trim() === "" ? "…" : body.trim()}
            </p>
          </div>
          <p class="announce-preview-button">
            <Icon name="check" size={18} /> {app.settings.t("announce.seen")}
          </p>
        </div>
      </figure>
    </Panel>
  );
}

/** To whom, with how many they are. */
function Audience(): JSX.Element {
  const { announcing } = useAdmin();
  const { t } = useWords();
  const { value: tag } = announcing.tag;
  const { value: reach } = announcing.reach;
  return (
    <p class="audience">
      <label class="choice line">
        <span>{t("announce.to")}</span>
        <select value={tag} onChange={(event) => void announcing.choose(event.currentTarget.value)}>
          <option value="">{t("announce.everybody")}</option>
          {announcing.tags.value.map((each) => (
            <option key={each.tag} value={each.tag}>
              {each.tag} ({each.people})
            </option>
          ))}
        </select>
      </label>{" "}
      <span class="muted" role="status">
        {reach === undefined ? "…" : t("announce.people", { n: reach })}
      </span>
    </p>
  );
}

function One({ one }: { one: Said }): JSX.Element {
  const admin = useAdmin();
  const { announcing } = admin;
  const { t, language } = useWords();
  const { outcome, busy, run } = useAct();
  const [reminded, setReminded] = useState<number>();
  const { value: details } = announcing.details;
  const open = details?.name === one.name;
  const missing = one.of - one.seen;
  const done = one.of > 0 && missing <= 0;
  const remind = () => run(async () => setReminded(await announcing.remind(one.name)));
  const heard = t(one.attention ? "announce.heard_of" : "announce.seen_of", { seen: one.seen, of: one.of });
  return (
    <li class="said-one" aria-label={one.body || t("announce.spoken")}>
      <p class="said-head">
        <time dateTime={new Date(one.at).toISOString()}>
          {when(one.at, admin.serverNow.value || one.at, language)}
        </time>
        <span>
          <b dir="auto">{one.from}</b>{" "}
          {one.tag === "" ? t("announce.to_all") : t("announce.to_tag", { tag: one.tag })}
        </span>
        {one.attention && (
          <Tag tone={one.ended === undefined ? "bad" : "plain"}>
            {t(one.ended === undefined ? "announce.spoken_now" : "announce.spoken")}
          </Tag>
        )}
        {one.ended !== undefined && (
          <span class="muted">
            {t("announce.spoken_for", { span: span((one.ended - one.at) / 1000, t) })}
          </span>
        )}
      </p>
      {one.body !== "" && (
        <p class="said-body" dir="auto">
          {one.body}
        </p>
      )}
      <div class="said-far">
        <span class="seen-meter" aria-hidden="true">
          <svg viewBox="0 0 100 8" preserveAspectRatio="none">
            <rect
              class={done ? "good" : ""}
              width={one.of === 0 ? 0 : (100 * one.seen) / one.of}
              height="8"
            />
          </svg>
        </span>
        <span role="status">{done && !one.attention ? t("announce.all_seen") : heard}</span>
        {!one.attention && missing > 0 && (
          <button type="button" class="button small" disabled={busy} onClick={() => void remind()}>
            {t("announce.remind", { n: missing })}
          </button>
        )}
        <button
          type="button"
          class="button small"
          aria-expanded={open}
          onClick={() => (open ? announcing.hide() : void announcing.show(one.name))}
        >
          {t(open ? "announce.hide" : one.attention ? "announce.show_heard" : "announce.show")}
        </button>
      </div>
      <Told outcome={outcome} />
      {reminded !== undefined && !outcome && (
        <Told outcome={{ good: true, text: t("announce.reminded", { n: reminded }) }} />
      )}
      {open && <Readers details={details} attention={one.attention} />}
    </li>
  );
}

function Readers({ details, attention }: { details: Details; attention: boolean }): JSX.Element {
  const { t } = useWords();
  return (
    <div class="readers">
      <List title={t(attention ? "announce.not_heard" : "announce.missing")} people={details.missing} />
      <List title={t(attention ? "announce.heard" : "announce.seen")} people={details.seen} />
    </div>
  );
}

function List({ title, people }: { title: string; people: readonly Reader[] }): JSX.Element {
  const app = useApp();
  const admin = useAdmin();
  const { t, language } = useWords();
  return (
    <section aria-label={title}>
      <h4>
        {title} <span class="muted">{people.length}</span>
      </h4>
      {people.length === 0 && <p class="muted">{t("announce.nobody")}</p>}
      <ul role="list">
        {people.map((each) => (
          <li key={each.id}>
            <Avatar of={each} size="small" status={app.people.find(each.id)?.status} />
            <span class="two">
              <span dir="auto">{each.name}</span>
              <span class="muted">
                {each.at > 0 ? when(each.at, admin.serverNow.value || each.at, language) : each.id}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
