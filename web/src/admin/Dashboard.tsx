import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Aside } from "../ui/AdminPlace";
import { Banner } from "../ui/Banner";
import { useApp } from "../ui/context";
import { Logo } from "../ui/icons";
import { Admin } from "./state/admin";
import { Announcements } from "./ui/Announcements";
import { CallBar } from "./ui/CallBar";
import { Calls } from "./ui/Calls";
import { Changes } from "./ui/Changes";
import { Confirm } from "./ui/Confirm";
import { ProvideAdmin, useAdmin, useWords } from "./ui/context";
import { useErrorText } from "./ui/errors";
import { span } from "./ui/format";
import { Glyph } from "./ui/glyphs";
import { LogSection } from "./ui/LogSection";
import { Overview } from "./ui/Overview";
import { PathTest } from "./ui/PathTest";
import { People } from "./ui/People";
import { Relay } from "./ui/Relay";
import { Segments } from "./ui/Segments";
import { sectionOf, sections, type SectionID } from "./ui/sections";
import "./style/index.css";

const views: Record<SectionID, () => JSX.Element> = {
  overview: Overview,
  calls: Calls,
  people: People,
  announcements: Announcements,
  relay: Relay,
  segments: Segments,
  "path-test": PathTest,
  log: LogSection,
};

/** Everything that goes on, for those who run the site. What is typed here is kept while the calls are in front. */
export function Dashboard(): JSX.Element | null {
  const app = useApp();
  const open = app.view.admin.value !== undefined;
  const kept = useRef<Admin>();
  kept.current ??= new Admin({
    api: app.deps.api,
    timers: app.deps.timers,
    now: app.deps.call.now,
    visible: app.view.visible,
    kept: app.deps.local,
    random: app.deps.call.random,
    speaking: { ...app.attentionDeps, source: app.deps.call.source, attention: app.attention },
  });
  const admin = kept.current;
  useEffect(() => {
    if (!open) return undefined;
    admin.open();
    return () => admin.close();
  }, [open]);
  if (!open) return null;
  if (admin.refused.value) return <Aside why="guest" />;
  return (
    <ProvideAdmin value={admin}>
      <Page />
    </ProvideAdmin>
  );
}

function Page(): JSX.Element {
  const app = useApp();
  const section = sectionOf(app.view.admin.value);
  const admin = useAdmin();
  const View = views[section];
  useEffect(() => window.scrollTo(0, 0), [section]);
  return (
    <main class="admin">
      {app.connection.value.kind === "stopped" && <Banner />}
      <Top />
      <Nav section={section} />
      <div class={`admin-body ${admin.staleFor.value > 0 ? "stale" : ""}`} key={section}>
        <StaleNote />
        <View />
      </div>
      <div class="admin-foot">
        <Changes />
        <CallBar />
      </div>
      <Confirm />
    </main>
  );
}

function Top(): JSX.Element {
  const app = useApp();
  const admin = useAdmin();
  const { t } = useWords();
  const { value: live } = admin.live.value;
  return (
    <header class="admin-top">
      <Logo size={30} />
      <div class="admin-title">
        <h1>{app.settings.t("admin.open")}</h1>
        <p class="muted">
          {[app.joining.site.value?.name, live?.node, live?.version].filter(Boolean).join(" · ")}
          {live && <span class="admin-up"> · {t("up", { span: span(live.uptimeSeconds, t) })}</span>}
        </p>
      </div>
      <Freshness />
      <button
        type="button"
        class="button small"
        aria-label={app.settings.t("admin.back")}
        onClick={() => (app.view.admin.value = undefined)}
      >
        <Glyph name="back" />
        <span>{t("back")}</span>
      </button>
    </header>
  );
}

/** Whether what is shown is of now. */
function Freshness(): JSX.Element {
  const admin = useAdmin();
  const { t } = useWords();
  const { staleFor, live } = admin;
  const state = live.value.value === undefined ? "waiting" : staleFor.value > 0 ? "stale" : "live";
  const words = {
    waiting: t(live.problem.value ? "fresh.no_answer" : "fresh.waiting"),
    stale: t("fresh.stale"),
    live: t("fresh.live"),
  };
  return (
    <p class={`fresh ${state}`}>
      <span class="fresh-dot" aria-hidden="true" />
      <span role="status">{words[state]}</span>
      {state === "stale" && (
        <span class="fresh-age">{t("fresh.age", { span: span(staleFor.value / 1000, t) })}</span>
      )}
    </p>
  );
}

/** What is shown is old: since when, why, and that nobody has to do anything. */
function StaleNote(): JSX.Element | null {
  const { staleFor, live } = useAdmin();
  const { t } = useWords();
  const errorText = useErrorText();
  const { value: problem } = live.problem;
  if (staleFor.value === 0) return null;
  return (
    <p class="note warn stale-note">
      {t("fresh.note", { span: span(staleFor.value / 1000, t) })}{" "}
      {problem && problem.code !== "unreachable" && errorText(problem)}
    </p>
  );
}

function Nav({ section }: { section: SectionID }): JSX.Element {
  const app = useApp();
  const admin = useAdmin();
  const { t } = useWords();
  const { value: live } = admin.live.value;
  const badge: Partial<Record<SectionID, number>> = {
    overview: live?.warnings.length ?? 0,
  };
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [section]);
  return (
    <nav class="admin-nav" aria-label={t("nav.label")}>
      <ul ref={list} role="list">
        {sections.map(({ id, icon }) => (
          <li key={id}>
            <button
              type="button"
              aria-current={id === section ? "page" : undefined}
              onClick={() => (app.view.admin.value = id)}
            >
              <Glyph name={icon} size={20} />
              <span>{t(`nav.${id}`)}</span>
              {(badge[id] ?? 0) > 0 && (
                <span class="badge" aria-hidden="true">
                  {badge[id]}
                </span>
              )}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}
