import type { JSX } from "preact";
import { useId, useRef, useState } from "preact/hooks";
import { ApiError } from "../../protocol/api";
import type { Someone } from "../../state/people";
import { Told, useAction } from "../action";
import { Avatar } from "../Avatar";
import { useApp } from "../context";
import { Field } from "../Field";
import { Icon } from "../icons";
import { squareOf } from "./picture";
import { QuietSwitch } from "./QuietSwitch";

const mostTags = 8;
const tagChars = 24;
const suggested = 8;

/** What one says of oneself: picture, name, line, tags, do not disturb. */
export function ProfileForm(): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const { me } = app;
  const present = me && app.people.find(me.id);
  const [name, setName] = useState(me?.name ?? "");
  const [line, setLine] = useState(present?.line ?? "");
  const { outcome, busy, run } = useAction();
  if (!me) return null;
  const same = name.trim() === me.name && line.trim() === (present?.line ?? "");
  return (
    <>
      <Picture me={{ ...me, status: "free", ...present }} />
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void run(() => app.changeProfile({ name: name.trim(), line: line.trim() }), t("people.saved"));
        }}
      >
        <Field label={t("field.name")} value={name} onInput={setName} maxLength={64} autoComplete="name" />
        <div class="with-button">
          <Field
            label={t("people.line")}
            value={line}
            onInput={setLine}
            maxLength={80}
            hint={t("people.line_hint")}
          />
          <button type="submit" class="button" disabled={busy || name.trim() === "" || same}>
            {t("account.save")}
          </button>
        </div>
        <Told outcome={outcome} />
      </form>
      <Tags own={present?.tags ?? []} />
      <QuietSwitch wide />
    </>
  );
}

function Picture({ me }: { me: Someone }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const input = useRef<HTMLInputElement>(null);
  const { outcome, busy, run } = useAction();
  const take = (file: File | undefined) => {
    if (!file) return;
    void run(async () => {
      const square = await squareOf(file).catch(() => {
        throw new ApiError("invalid_picture");
      });
      app.people.setProfiles([await app.contacts.api.setPicture(square)]);
    }, t("people.picture_saved"));
  };
  const remove = () => void run(async () => app.people.setProfiles([await app.contacts.api.removePicture()]));
  return (
    <div class="me-big">
      <Avatar of={me} size="big" />
      <div class="stack">
        <p class="muted">{me.id}</p>
        <input
          ref={input}
          type="file"
          accept="image/*"
          hidden
          onChange={(event) => {
            take(event.currentTarget.files?.[0]);
            event.currentTarget.value = "";
          }}
        />
        <button type="button" class="button" disabled={busy} onClick={() => input.current?.click()}>
          {me.picture ? t("people.other_picture") : t("people.add_picture")}
        </button>
        {me.picture && (
          <button type="button" class="button" disabled={busy} onClick={remove}>
            {t("people.remove_picture")}
          </button>
        )}
        <Told outcome={outcome} />
      </div>
    </div>
  );
}

function Tags({ own }: { own: string[] }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [typed, setTyped] = useState("");
  const { outcome, busy, run } = useAction();
  const id = useId();
  const change = (tags: string[]) => run(() => app.changeProfile({ tags }));
  const add = async (tag: string) => {
    if (tag.trim() !== "" && (await change([...own, tag]))) setTyped("");
  };
  const known = app.people.tags.value
    .filter((tag) => !own.includes(tag) && tag.includes(typed.trim().toLowerCase()))
    .slice(0, suggested);
  return (
    <form
      class="stack tags"
      onSubmit={(event) => {
        event.preventDefault();
        void add(typed);
      }}
    >
      <label for={id}>{t("people.tags")}</label>
      {own.length > 0 && (
        <ul class="chips" role="list">
          {own.map((tag) => (
            <li key={tag}>
              <button
                type="button"
                class="chip"
                disabled={busy}
                aria-label={t("people.remove_tag", { tag })}
                onClick={() => void change(own.filter((other) => other !== tag))}
              >
                <bdi>{tag}</bdi>
                <Icon name="close" size={16} />
              </button>
            </li>
          ))}
        </ul>
      )}
      {own.length < mostTags && (
        <>
          <div class="with-button">
            <div class="field">
              <div class="field-box">
                <input
                  id={id}
                  type="text"
                  value={typed}
                  maxLength={tagChars}
                  aria-describedby={`${id}-hint`}
                  onInput={(event) => setTyped(event.currentTarget.value)}
                />
              </div>
            </div>
            <button type="submit" class="button" disabled={busy || typed.trim() === ""}>
              {t("people.add")}
            </button>
          </div>
          <p class="hint" id={`${id}-hint`}>
            {t("people.tags_hint")}
          </p>
          {known.length > 0 && (
            <div class="chips" role="group" aria-label={t("people.suggested")}>
              {known.map((tag) => (
                <button key={tag} type="button" class="chip" disabled={busy} onClick={() => void add(tag)}>
                  + <bdi>{tag}</bdi>
                </button>
              ))}
            </div>
          )}
        </>
      )}
      <Told outcome={outcome} />
    </form>
  );
}
