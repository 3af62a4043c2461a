import type { JSX } from "preact";
import { valueOf } from "../state/settings";
import { useAdmin, useWords } from "./context";
import { Panel } from "./parts";
import { SettingChoice, SettingFlag } from "./SettingField";

/** Who may join, where the server lets it be changed here. */
export function SiteSettings(): JSX.Element | null {
  const { editor } = useAdmin();
  const { t } = useWords();
  const { value: loaded } = editor.loaded;
  if (!loaded || valueOf(loaded.settings, "registration.policy") === undefined) return null;
  return (
    <Panel title={t("join.title")}>
      <div class="settings">
        <SettingChoice
          name="registration.policy"
          choices={[
            { value: "open", title: "join.open", text: "join.open_text" },
            { value: "invite", title: "join.invite", text: "join.invite_text" },
            { value: "closed", title: "join.closed", text: "join.closed_text" },
          ]}
        />
        <div>
          <SettingFlag name="registration.guests" hint="join.guests_text" />
          <SettingFlag name="registration.users_may_invite" />
        </div>
      </div>
    </Panel>
  );
}
