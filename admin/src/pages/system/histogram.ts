/** Histograms of cut-offs, added up over hours and reasons. */
import { millis } from "../../format/units";

/** The sessions up to a bound and above the one before. */
export interface Bar {
  name: string;
  sessions: number;
}

const MORE = "more";

/** Return the bars in the order of their bounds, the open end last, up to the last one with a session. */
export function barsOf(items: readonly { histogram: Record<string, number> }[]): Bar[] {
  const sums = new Map<string, number>();
  for (const { histogram } of items) {
    for (const [bound, sessions] of Object.entries(histogram)) sums.set(bound, (sums.get(bound) ?? 0) + sessions);
  }
  const bounds = [...sums.keys()].filter((bound) => bound !== MORE).map(Number).sort((a, b) => a - b);
  const bars = bounds.map((bound) => ({ name: bound === 0 ? "before the end" : `up to ${millis(bound)}`, sessions: sums.get(String(bound)) ?? 0 }));
  bars.push({ name: "longer", sessions: sums.get(MORE) ?? 0 });
  return bars.slice(0, bars.findLastIndex((bar) => bar.sessions > 0) + 1);
}
