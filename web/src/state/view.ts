import { signal } from "@preact/signals";

export type Side = "people" | "chats";

/** What is on the screen besides the call. */
export class View {
  /** The chat that is open: a person's id, or a group's name. */
  readonly openWith = signal<string | undefined>(undefined);
  /** What the list beside it shows. */
  readonly side = signal<Side>("people");
  /** The list of past calls is open. */
  readonly pastCalls = signal(false);
  readonly account = signal(false);
  /** The dialog for microphone, camera and speaker, or one about the running call. */
  readonly mediaDialog = signal<"devices" | "quality" | "safety" | undefined>(undefined);
  /** The dialog that makes invites. */
  readonly inviting = signal(false);
  /** The section of the dashboard that is open; undefined while the calls are on the screen. */
  readonly admin = signal<string | undefined>(undefined);
  readonly visible = signal(true);
  /** Whether there is room for a call and texts side by side. */
  readonly wide = signal(false);
  /** Whether the texts are shown during a call where there is no room for both. */
  readonly textsInCall = signal(false);

  /** Puts a call that begins on the screen. */
  toCallWith(peer: string): void {
    this.admin.value = undefined;
    this.textsInCall.value = false;
    if (this.openWith.value !== peer) this.openWith.value = undefined;
  }

  reset(): void {
    this.openWith.value = undefined;
    this.side.value = "people";
    this.pastCalls.value = false;
    this.account.value = false;
    this.inviting.value = false;
    this.mediaDialog.value = undefined;
    this.textsInCall.value = false;
  }
}
