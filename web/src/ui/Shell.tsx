import type { JSX } from "preact";
import type { Call } from "../call/types";
import { echoID } from "../protocol/messages";
import { mayInvite } from "../state/joining";
import { AdminClaim } from "./AdminClaim";
import { Avatar } from "./Avatar";
import { Banner } from "./Banner";
import { CallView } from "./CallView";
import { ChatList } from "./chat/ChatList";
import { OnDemand } from "./chat/OnDemand";
import { SideTabs } from "./chat/SideTabs";
import { SignOut } from "./chat/SignOut";
import { useApp } from "./context";
import { Conversation } from "./Conversation";
import { EchoPlace } from "./EchoPlace";
import { Inviting } from "./Inviting";
import { Empty } from "./Empty";
import { Ended } from "./Ended";
import { Icon, Logo } from "./icons";
import { MediaDialogs } from "./MediaDialogs";
import { QuietSwitch } from "./people/QuietSwitch";
import { PastCallsButton, PastCallsPlace } from "./PastCallsPlace";
import { RecordedFiles } from "./Recording";
import { Roster } from "./Roster";

const loadAccount = () => import("./AccountDialog").then((m) => m.AccountDialog);

/**
 * The page of somebody who is signed in. While the dashboard is in front it is away, not
 * gone: the sound of a call comes from it.
 */
export function Shell({ away }: { away: boolean }): JSX.Element {
  const app = useApp();
  const { view, calls } = app;
  const call = calls.current.value;
  const running = call !== undefined && call.stage !== "ended";
  const main = call !== undefined || view.openWith.value !== undefined || view.pastCalls.value;
  const layout = running ? "in-call" : main ? "in-main" : "in-roster";
  return (
    <main class={`shell ${layout}`} hidden={away}>
      <h1 class="sr-only">Fieldphone</h1>
      <Banner />
      <div class="side">
        <TopBar />
        <div class="side-head">
          <SideTabs />
          <PastCallsButton />
        </div>
        {view.side.value === "chats" ? <ChatList /> : <Roster />}
        <SideFoot />
      </div>
      <div class="main">
        <Main />
      </div>
      {view.account.value && <OnDemand load={loadAccount} props={{}} />}
      {view.inviting.value && <Inviting />}
      <MediaDialogs />
      <RecordedFiles />
      <AdminClaim />
    </main>
  );
}

function Main(): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { view, calls } = app;
  const call = calls.current.value;
  const openWith = view.openWith.value;
  const shown = app.reading.value;
  if (call) {
    const named: Call = call.peer.id === echoID ? { ...call, peer: app.personNamed(echoID) } : call;
    if (call.stage === "ended")
      return call.peer.id === echoID ? <EchoPlace call={named} /> : <Ended call={call} />;
    const hide = view.wide.value ? undefined : () => (view.textsInCall.value = false);
    return (
      <div class={`with-call ${shown === undefined ? "" : "texts"}`}>
        <CallView call={named} />
        {shown !== undefined && <Conversation chat={shown} inCall onBack={hide} />}
      </div>
    );
  }
  if (openWith !== undefined) {
    return <Conversation chat={openWith} onBack={() => app.closeConversation()} />;
  }
  if (view.pastCalls.value) return <PastCallsPlace />;
  const alone = app.people.all.value.every((person) => person.id === app.me?.id);
  return (
    <div class="welcome">
      <Logo size={72} />
      {alone ? (
        <p class="muted">{t("start.tagline")}</p>
      ) : (
        <Empty title={t("welcome.title")}>
          <p class="muted">{t("welcome.how")}</p>
        </Empty>
      )}
    </div>
  );
}

function TopBar(): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const { me } = app;
  if (!me) return null;
  return (
    <header class="top">
      <div class="person-words">
        <span class="person-name">{me.name}</span>
        <span class="person-status">{t("top.you", { id: me.id })}</span>
      </div>
      <div class="top-buttons">
        <QuietSwitch />
        {mayInvite(app.joining.site.value, me) && (
          <button
            type="button"
            class="round ghost"
            aria-label={t("inviting.open_dialog")}
            title={t("inviting.open_dialog")}
            onClick={() => (app.view.inviting.value = true)}
          >
            <Icon name="invite" />
          </button>
        )}
        <button
          type="button"
          class="account-button"
          aria-label={t("account.title")}
          title={t("account.title")}
          onClick={() => (app.view.account.value = true)}
        >
          <Avatar of={me} size="small" />
          <Icon name="settings" size={20} />
        </button>
      </div>
    </header>
  );
}

function SideFoot(): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  return (
    <footer class="side-foot">
      {app.me?.admin && (
        <button type="button" class="button" onClick={() => (app.view.admin.value = "overview")}>
          {t("admin.open")}
        </button>
      )}
      <SignOut />
    </footer>
  );
}
