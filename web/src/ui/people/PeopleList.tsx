import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Someone } from "../../state/people";
import { visibleRows } from "../../state/roster";
import { PersonRow } from "./PersonRow";

/** A list of fewer people is drawn as a whole. */
const wholeBelow = 100;
/** Pixels of a row; people.css says the same. */
const rowHeight = 64;

/**
 * People, of whom in a long list only those are drawn who can be seen. The rows say where in the
 * whole they are; the arrow keys, Home and End go to those who are not drawn as well.
 */
export function PeopleList({ people }: { people: readonly Someone[] }): JSX.Element {
  return people.length < wholeBelow ? (
    <ul class="people" role="list">
      {people.map((person) => (
        <PersonRow key={person.id} person={person} />
      ))}
    </ul>
  ) : (
    <LongList people={people} />
  );
}

function LongList({ people }: { people: readonly Someone[] }): JSX.Element {
  const list = useRef<HTMLUListElement>(null);
  const [seen, setSeen] = useState({ from: 0, to: 24 });
  /** The row that has the focus stays, also out of sight: else the focus would be lost. */
  const [focus, setFocus] = useState<number>();
  const wanted = useRef<number>();
  const count = people.length;

  useLayoutEffect(() => {
    const ul = list.current;
    const scroller = ul && scrollerOf(ul);
    if (!ul || !scroller) return undefined;
    const look = () => {
      const top = scroller.getBoundingClientRect().top - ul.getBoundingClientRect().top;
      const next = visibleRows(count, rowHeight, Math.max(0, top), scroller.clientHeight);
      setSeen((before) => (before.from === next.from && before.to === next.to ? before : next));
    };
    look();
    scroller.addEventListener("scroll", look, { passive: true });
    const resized = new ResizeObserver(look);
    resized.observe(scroller);
    return () => {
      scroller.removeEventListener("scroll", look);
      resized.disconnect();
    };
  }, [count]);

  useLayoutEffect(() => {
    if (wanted.current === undefined) return;
    const row = list.current?.querySelector<HTMLElement>(`[data-at="${wanted.current}"]`);
    if (!row) return;
    wanted.current = undefined;
    row.focus({ preventScroll: true });
    row.closest("li")?.scrollIntoView({ block: "nearest" });
  });

  const onKeyDown = (event: KeyboardEvent) => {
    const at = atOf(event.target);
    if (at === undefined) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 1, End: count }[event.key];
    if (to === undefined || to < 1 || to > count) return;
    event.preventDefault();
    wanted.current = to;
    setFocus(to);
  };

  const drawn: number[] = [];
  for (let i = seen.from; i < Math.min(seen.to, count); i++) drawn.push(i);
  const kept = focus === undefined ? undefined : focus - 1;
  if (kept !== undefined && kept < count && (kept < seen.from || kept >= seen.to)) {
    if (kept < seen.from) drawn.unshift(kept);
    else drawn.push(kept);
  }
  return (
    <ul
      ref={list}
      class="people long"
      role="list"
      style={{ height: `${count * rowHeight}px` }}
      onKeyDown={onKeyDown}
      onFocusIn={(event) => setFocus(atOf(event.target))}
      onFocusOut={() => wanted.current === undefined && setFocus(undefined)}
    >
      {drawn.map((i) => {
        const person = people[i]!;
        return (
          <PersonRow key={person.id} person={person} place={{ at: i + 1, of: count, top: i * rowHeight }} />
        );
      })}
    </ul>
  );
}

function atOf(target: EventTarget | null): number | undefined {
  const at = target instanceof Element ? target.closest("li")?.getAttribute("aria-posinset") : undefined;
  return at ? Number(at) : undefined;
}

function scrollerOf(element: HTMLElement): HTMLElement | undefined {
  return element.closest<HTMLElement>(".roster-body") ?? undefined;
}
