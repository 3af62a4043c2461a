// Keeps what is being read where it is, whatever comes above or below; stays at the end only
// for those who are at the end; tells what has been seen.
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { echoID } from "../../protocol/messages";
import type { Chat } from "../../state/chat/chat";
import type { Row } from "../../state/chat/rows";
import { useApp } from "../context";

/** How near to an end more is fetched, and how near to the bottom counts as there, in pixels. */
const fetchWithin = 700;
const endWithin = 60;

interface Anchor {
  row: HTMLElement;
  top: number;
}

const rowsIn = (box: HTMLElement) => box.getElementsByClassName("row") as HTMLCollectionOf<HTMLElement>;

/** The index of the first row whose lower edge is below y; rows follow each other downwards. */
function firstBelow(rows: HTMLCollectionOf<HTMLElement>, y: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = rows[middle]!;
    if (row.offsetTop + row.offsetHeight > y) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function useScroll(box: RefObject<HTMLDivElement>, chat: Chat, rows: readonly Row[]) {
  const app = useApp();
  const anchor = useRef<Anchor>();
  const placed = useRef(false);
  const [atEnd, setAtEnd] = useState(true);
  const visible = app.view.visible.value && app.view.admin.value === undefined;
  const shown = useRef(visible);
  shown.current = visible;
  const latest = useRef(rows);
  latest.current = rows;

  /** Notes where the screen is, tells what was seen, and fetches what comes next. */
  const look = () => {
    const { current: log } = box;
    if (!log || log.clientHeight === 0) return;
    const below = log.scrollHeight - log.scrollTop - log.clientHeight;
    const held = chat.window.value;
    const end = below < endWithin && !held?.newer;
    chat.following = end;
    setAtEnd(end);
    const all = rowsIn(log);
    const first = all[firstBelow(all, log.scrollTop)];
    anchor.current = first && { row: first, top: first.offsetTop - log.scrollTop };
    if (shown.current && chat.id !== echoID) tellSeen(log, all);
    if (!held || chat.loading.value || !placed.current) return;
    if (log.scrollTop < fetchWithin && held.older) void app.chats.older(chat.id);
    else if (below < fetchWithin && held.newer) void app.chats.newer(chat.id);
  };

  const tellSeen = (log: HTMLElement, all: HTMLCollectionOf<HTMLElement>) => {
    // A row counts once most of it has been on the screen.
    const last = firstBelow(all, log.scrollTop + log.clientHeight - 24) - (atBottom(log) ? 0 : 1);
    for (let i = Math.min(last, latest.current.length - 1); i >= 0; i -= 1) {
      const { pos, rev } = latest.current[i]!.message;
      if (rev === 0) continue;
      app.chats.seen(chat.id, pos);
      return;
    }
  };

  const place = () => {
    const { current: log } = box;
    if (!log || rows.length === 0) return;
    const target = chat.target.value;
    const wanted = target === undefined ? undefined : log.querySelector<HTMLElement>(".row.found");
    if (wanted) {
      center(log, wanted);
      placed.current = true;
      // It is pointed out for a while, and never scrolled to again.
      setTimeout(() => {
        if (chat.target.value === target) chat.target.value = undefined;
      }, 2_500);
    } else if (!placed.current) {
      const fresh = log.querySelector<HTMLElement>(".fresh");
      log.scrollTop = fresh ? Math.max(0, fresh.offsetTop - 60) : log.scrollHeight;
      placed.current = true;
    } else if (chat.following) log.scrollTop = log.scrollHeight;
    else if (anchor.current?.row.isConnected)
      log.scrollTop = anchor.current.row.offsetTop - anchor.current.top;
  };

  const found = chat.target.value;
  useLayoutEffect(() => {
    place();
    look();
  }, [rows, found]);
  useEffect(() => {
    if (visible) look();
  }, [visible]);
  useEffect(() => {
    const { current: log } = box;
    if (!log) return undefined;
    let frame = 0;
    const onScroll = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        look();
      });
    };
    // The keyboard of a phone, or a picture that has come, changes the room there is.
    const resized = new ResizeObserver(() => {
      if (chat.following) log.scrollTop = log.scrollHeight;
      look();
    });
    log.addEventListener("scroll", onScroll, { passive: true });
    resized.observe(log);
    return () => {
      cancelAnimationFrame(frame);
      log.removeEventListener("scroll", onScroll);
      resized.disconnect();
    };
  }, [chat]);

  const toEnd = () => {
    chat.following = true;
    if (chat.window.value?.newer) void app.chats.latest(chat.id);
    else if (box.current) box.current.scrollTop = box.current.scrollHeight;
  };
  return { atEnd, toEnd };
}

const atBottom = (log: HTMLElement) => log.scrollHeight - log.scrollTop - log.clientHeight < 4;

function center(log: HTMLElement, row: HTMLElement): void {
  log.scrollTop = row.offsetTop - (log.clientHeight - row.offsetHeight) / 2;
}
