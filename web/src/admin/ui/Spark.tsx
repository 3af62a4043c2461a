import type { JSX } from "preact";

const width = 100;
const height = 24;
/** Fewer values than these do not fill the width yet. */
const fewest = 15;

/** The points of a line through the values, newest to the right, in a box of 100 by 24. */
export function linePoints(values: readonly number[], top: number, slots: number): string {
  const step = width / Math.max(slots - 1, 1);
  const from = slots - values.length;
  const most = Math.max(top, ...values, 1e-9);
  return values
    .map((value, i) => {
      const x = (from + i) * step;
      const y = height - 1 - (Math.max(value, 0) / most) * (height - 3);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(" ");
}

interface Props {
  values: readonly number[];
  /** The value that at least fits, so that small changes stay small. */
  top?: number;
  /** How many values fill the width. */
  slots?: number;
  /** What the graph shows, for those who do not see it. */
  label: string;
  tone?: "accent" | "warn" | "bad";
}

/** A small graph in a line of text. */
export function Spark({ values, top = 1, slots = 60, label, tone = "accent" }: Props): JSX.Element {
  const shown = values.slice(-slots);
  const points = linePoints(shown, top, Math.min(Math.max(shown.length, fewest), slots));
  const first = points.split(",", 1)[0];
  return (
    <svg
      class={`spark ${tone}`}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path class="spark-base" d={`M0 ${height - 1}H${width}`} />
      {shown.length > 1 && (
        <>
          <polygon class="spark-area" points={`${first},${height - 1} ${points} ${width},${height - 1}`} />
          <polyline class="spark-line" points={points} />
        </>
      )}
    </svg>
  );
}
