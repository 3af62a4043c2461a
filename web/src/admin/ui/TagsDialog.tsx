import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Dialog } from "../../ui/Dialog";
import { TagsEditor } from "../../ui/people/TagsEditor";
import { useAdmin, useWords } from "./context";

interface Props {
  id: string;
  name: string;
  tags: readonly string[];
}

/** Opens the tags of somebody. */
export function TagsButton(person: Props): JSX.Element {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        class="button small quiet"
        aria-label={t("tags.label", { name: person.name })}
        onClick={() => setOpen(true)}
      >
        {t("tags.short")}
      </button>
      {open && <TagsDialog {...person} onClose={() => setOpen(false)} />}
    </>
  );
}

/** The tags of somebody, each change stored at once; the log can take it back. */
export function TagsDialog({ id, name, tags, onClose }: Props & { onClose: () => void }): JSX.Element {
  const admin = useAdmin();
  const { t } = useWords();
  // The list of accounts comes a little later than the answer.
  const [own, setOwn] = useState(tags);
  const title = t("tags.label", { name });
  return (
    <Dialog label={title} class="confirm" onEscape={onClose}>
      <h2>{title}</h2>
      <TagsEditor
        label={t("tags.field")}
        hint={t("tags.hint", { name })}
        own={own}
        save={async (wanted) => {
          await admin.setUser(id, { tags: wanted });
          setOwn(wanted.map((tag) => tag.trim().toLowerCase()));
        }}
      />
      <div class="confirm-buttons">
        <button type="button" class="button" onClick={onClose}>
          {t("tags.done")}
        </button>
      </div>
    </Dialog>
  );
}
