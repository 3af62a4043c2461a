import type { JSX } from "preact";

/** Line icons on a 24 px grid, drawn for this page. */
export const linePaths = {
  video: "M4.5 6.5h8a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2ZM14.5 11l6-3.5v9l-6-3.5",
  videoOff:
    "M10 6.5h2.5a2 2 0 0 1 2 2v2.5l6-3.5v9l-3-1.75M14.5 14.5v1a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2h1M3 3l18 18",
  phone:
    "M6.2 3.5h2.3a1 1 0 0 1 1 .8l.7 3.2a1 1 0 0 1-.3 1L8.2 10a12 12 0 0 0 5.8 5.8l1.5-1.7a1 1 0 0 1 1-.3l3.2.7a1 1 0 0 1 .8 1v2.3a2 2 0 0 1-2.2 2C10.7 19.2 4.8 13.3 4.2 5.7a2 2 0 0 1 2-2.2Z",
  hangUp:
    "M3 15.5c-.7-1-.9-2.3-.3-3.3C4.5 9.5 8 8 12 8s7.5 1.5 9.3 4.2c.6 1 .4 2.3-.3 3.3l-.8 1a1 1 0 0 1-1.2.3l-2.9-1.3a1 1 0 0 1-.6-.9l-.1-2.2a12 12 0 0 0-6.8 0l-.1 2.2a1 1 0 0 1-.6.9L5 16.8a1 1 0 0 1-1.2-.3Z",
  mic: "M12 3.5a2.8 2.8 0 0 1 2.8 2.8v5a2.8 2.8 0 0 1-5.6 0v-5A2.8 2.8 0 0 1 12 3.5ZM5.8 11.5a6.2 6.2 0 0 0 12.4 0M12 17.7v3",
  micOff:
    "M9.2 9.2v2.1a2.8 2.8 0 0 0 4.3 2.4M14.8 11V6.3a2.8 2.8 0 0 0-5.4-1M5.8 11.5a6.2 6.2 0 0 0 9.8 5M18.2 11.5a6 6 0 0 1-.7 2.8M12 17.7v3M3 3l18 18",
  flip: "M4 12a8 8 0 0 1 13.7-5.6L20 8.5M20 4v4.5h-4.5M20 12a8 8 0 0 1-13.7 5.6L4 15.5M4 20v-4.5h4.5",
  screen:
    "M4.5 4.5h15a1.5 1.5 0 0 1 1.5 1.5v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 15V6a1.5 1.5 0 0 1 1.5-1.5ZM8.5 20h7M12 13V8M9.5 10.2 12 7.7l2.5 2.5",
  message: "M5 4.5h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-7.5L7 21v-3.5H5a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2Z",
  back: "M14.5 5.5 8 12l6.5 6.5",
  close: "M6 6l12 12M18 6 6 18",
  send: "M4 12 20 4.5 14.5 20l-3-6.5Zm7.5 1.5L20 4.5",
  search: "M10.5 4.5a6 6 0 1 1 0 12 6 6 0 0 1 0-12ZM15 15l5 5",
  settings:
    "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4ZM9 14.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4Z",
  copy: "M9 8.5h9a1.5 1.5 0 0 1 1.5 1.5v9a1.5 1.5 0 0 1-1.5 1.5H9A1.5 1.5 0 0 1 7.5 19v-9A1.5 1.5 0 0 1 9 8.5ZM16 5.5A1.5 1.5 0 0 0 14.5 4h-9A1.5 1.5 0 0 0 4 5.5v9A1.5 1.5 0 0 0 5.5 16",
  bell: "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15ZM10 20.5h4",
  invite: "M10 4.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7ZM3.5 19.5a6.5 6.5 0 0 1 13 0M19 8v6M16 11h6",
  check: "M5 12.5 10 17.5 19.5 7",
  dash: "M6 12h12",
  warning: "M12 4 21 19.5H3ZM12 10v4.5M12 17v.1",
  echo: "M7.5 4.5 4 8l3.5 3.5M4 8h10.5a5.3 5.3 0 0 1 0 10.6H8",
  swap: "M7 4v14M7 18l-3.500-3.500M7 18l3.500-3.500M17 20V6M17 6l-3.500 3.500M17 6l3.500 3.500",
  history: "M4 12a8 8 0 1 0 2.600-5.900L4 8.500M4 4v4.500h4.500M12 8v4.500l3 2",
  callIn: "M18 6 7 17M7 9v8h8",
  callOut: "M6 18 17 7M9 7h8v8",
  speaker: "M4 9.5h3.5L12 5.5v13l-4.5-4H4ZM15.5 9a4.5 4.5 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
  people:
    "M9 4.500a3.200 3.200 0 1 1 0 6.400a3.200 3.200 0 0 1 0-6.400ZM3 19a6 6 0 0 1 12 0M15.500 5.200a3 3 0 0 1 0 5.400M17.500 13.700A6 6 0 0 1 21 19",
  more: "M12 5v.8M12 11.600v.8M12 18.200v.8",
  down: "M6 9.500l6 6 6-6",
  edit: "M4.500 19.500l1-4.500L16 4.500a1.800 1.800 0 0 1 2.600 0l.9.9a1.800 1.800 0 0 1 0 2.600L9 18.500ZM14 6.500l3.500 3.500",
  trash:
    "M5 7h14M9.500 7V5a1 1 0 0 1 1-1h3a1 1 0 0 1 1 1v2M7 7l.8 12a1.200 1.200 0 0 0 1.200 1h6a1.200 1.200 0 0 0 1.200-1L17 7M10.300 11v5M13.700 11v5",
  star: "M12 4l2.400 5 5.500.7-4 3.800 1 5.500-4.900-2.700-4.900 2.700 1-5.500-4-3.800 5.500-.7Z",
  block: "M12 3.500a8.500 8.500 0 1 1 0 17a8.500 8.500 0 0 1 0-17ZM6 6l12 12",
  moon: "M19.500 14.500A8 8 0 0 1 9.500 4.500a8 8 0 1 0 10 10Z",
  info: "M12 3.500a8.500 8.500 0 1 1 0 17a8.500 8.500 0 0 1 0-17ZM12 11v5.500M12 7.800v.1",
  smile:
    "M12 3.500a8.500 8.500 0 1 1 0 17a8.500 8.500 0 0 1 0-17ZM8.500 14.200a4.500 4.500 0 0 0 7 0M9 9.500v.2M15 9.500v.2",
  plus: "M12 5v14M5 12h14",
  lock: "M6.5 10.5h11a1.5 1.5 0 0 1 1.5 1.5v6.5a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 18.5V12a1.5 1.5 0 0 1 1.5-1.5ZM8 10.5V8a4 4 0 0 1 8 0v2.5M12 14v2.5",
  window:
    "M4.5 5h15A1.5 1.5 0 0 1 21 6.5v11a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5v-11A1.5 1.5 0 0 1 4.5 5ZM12 11.5h6.5V16H12Z",
  record: "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16ZM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6Z",
  pause: "M9 5.5v13M15 5.5v13",
} as const;

export type IconName = keyof typeof linePaths;

export function Icon({ name, size = 24 }: { name: IconName; size?: number }): JSX.Element {
  return <LineIcon path={linePaths[name]} size={size} />;
}

export function LineIcon({ path, size }: { path: string; size: number }): JSX.Element {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={path} />
    </svg>
  );
}

export function Logo({ size = 40 }: { size?: number }): JSX.Element {
  return (
    <svg class="logo" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect class="logo-ground" width="32" height="32" rx="9" />
      <path class="logo-line" d="M12.5 16a5 5 0 0 1 7 0M8.6 12.200a10.5 10.5 0 0 1 14.8 0" />
      <circle class="logo-dot" cx="16" cy="20.6" r="2.4" />
    </svg>
  );
}
