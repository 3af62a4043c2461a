import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { ApiError } from "../../protocol/api";
import type { Someone } from "../../state/people";
import { Told, useAction } from "../action";
import { Avatar } from "../Avatar";
import { useApp } from "../context";
import { Field } from "../Field";
import { squareOf } from "./picture";
import { QuietSwitch } from "./QuietSwitch";
import { TagsEditor } from "./TagsEditor";

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
      <TagsEditor
        label={t("people.tags")}
        hint={t("people.tags_hint")}
        own={present?.tags ?? []}
        save={(tags) => app.changeProfile({ tags })}
      />
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
