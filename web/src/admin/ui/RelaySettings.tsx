import type { JSX } from "preact";
import { numberFrom } from "../state/settings";
import { useAdmin, useWords } from "./context";
import { count } from "./format";
import { Nothing, Panel } from "./parts";
import { Group, SettingChoice, SettingField } from "./SettingField";

const perSecond = "1/s";

/** What the relay may do; nothing here takes effect before it is applied. */
export function RelaySettings(): JSX.Element {
  const { editor } = useAdmin();
  const { t } = useWords();
  if (!editor.loaded.value) {
    return (
      <Panel title={t("relay.settings")}>
        <Nothing>{t(editor.problem.value ? "settings.unreachable" : "fresh.waiting")}</Nothing>
      </Panel>
    );
  }
  return (
    <Panel title={t("relay.settings")} note={t("relay.settings_note")}>
      <form class="settings" onSubmit={(event) => event.preventDefault()}>
        <Ports />
        <Peers />
        <Limits />
      </form>
    </Panel>
  );
}

function Ports(): JSX.Element {
  const { editor } = useAdmin();
  const { t, language } = useWords();
  const [min, max] = [numberFrom(editor.text("relay_ports.min")), numberFrom(editor.text("relay_ports.max"))];
  const fits = min !== undefined && max !== undefined && max >= min;
  const whole = editor.problems.value.filter(({ key }) => key === "relay_ports");
  return (
    <Group title={t("set.relay_ports")} note={t("relay.ports_note")}>
      <div class="range">
        <SettingField name="relay_ports.min" also={whole} />
        <SettingField name="relay_ports.max" />
      </div>
      <p class="hint">{fits ? t("relay.range_size", { n: count(max - min + 1, language) }) : ""}</p>
    </Group>
  );
}

function Peers(): JSX.Element {
  const { t } = useWords();
  return (
    <Group title={t("set.peers")} note={t("relay.peers_note")}>
      <SettingChoice
        name="peers.mode"
        choices={[
          { value: "call", title: "peers.call", text: "peers.call_text" },
          { value: "clients", title: "peers.clients", text: "peers.clients_text" },
          { value: "cidr", title: "peers.cidr", text: "peers.cidr_text" },
          { value: "any", title: "peers.any", text: "peers.any_text" },
        ]}
      />
      <div class="range">
        <SettingField name="peers.allow" hint="peers.allow_hint" />
        <SettingField name="peers.deny" hint="peers.deny_hint" />
      </div>
    </Group>
  );
}

function Limits(): JSX.Element {
  const { t } = useWords();
  return (
    <Group title={t("set.limits")} note={t("relay.limits_note")}>
      <div class="limits">
        <SettingField name="limits.allocations_per_session" />
        <SettingField name="limits.allocations" zero="zero.ports" />
        <SettingField name="limits.kbps_per_allocation" unit="kbit/s" zero="zero.none" />
        <SettingField name="limits.kbps" unit="kbit/s" zero="zero.none" />
        <SettingField name="limits.allocates_per_second_per_source" unit={perSecond} />
        <SettingField name="limits.bindings_per_second_per_source" unit={perSecond} />
      </div>
    </Group>
  );
}
