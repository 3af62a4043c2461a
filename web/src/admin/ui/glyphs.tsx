import type { JSX } from "preact";
import { LineIcon, linePaths } from "../../ui/icons";

/** The dashboard's line icons on a 24 px grid, drawn for it. */
const paths = {
  overview: "M4 13.5h3.5l2.5-7 4 11 2.5-4H20",
  calls: linePaths.phone,
  people:
    "M9 5a3.2 3.2 0 1 1 0 6.4A3.2 3.2 0 0 1 9 5ZM3 19a6 6 0 0 1 12 0M15.5 5.3a3.2 3.2 0 0 1 0 5.8M17 14a6 6 0 0 1 4 5",
  announcements: "M4 10v4h3l7 4V6l-7 4ZM17 9a4 4 0 0 1 0 6M7 14l1.5 5.5h2L9 15",
  relay: "M4 8h12M13 4.5 16.5 8 13 11.5M20 16H8M11 12.5 7.5 16l3.5 3.5",
  segments: "M12 3.5v5M5 15.5v-3h14v3M12 8.5v4M9.5 3.5h5v5h-5ZM2.5 15.5h5v5h-5ZM16.5 15.5h5v5h-5Z",
  test: "M4.5 12.5l3 3 4.5-6M14.5 8h6M14.5 12h6M14.5 16h6",
  log: "M6 4.5h12v15H6ZM9 9h6M9 12.5h6M9 16h3.5",
  back: linePaths.back,
  copy: linePaths.copy,
  check: "M5 12.5l4.5 4.5L19 7",
  warning: linePaths.warning,
  info: "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17ZM12 11v5.5M12 7.6v.1",
  undo: "M8 5 4 9l4 4M4 9h9.5a6 6 0 0 1 0 12H8",
  lock: "M7 11h10v9H7ZM9 11V8a3 3 0 0 1 6 0v3",
  close: linePaths.close,
  up: "M12 19V5.5M6.5 11 12 5.5 17.5 11",
  down: "M12 5v13.5M6.5 13l5.5 5.5 5.5-5.5",
} as const;

export type GlyphName = keyof typeof paths;

export function Glyph({ name, size = 18 }: { name: GlyphName; size?: number }): JSX.Element {
  return <LineIcon path={paths[name]} size={size} />;
}
