/** The platform's series as lines of charts. */
import type { Schemas } from "../../api/client";
import type { Line } from "../../ui/chart";
import { bitrate, count, millis, percent } from "../../format/units";
import { points } from "../../format/points";

type Answer = Schemas["SeriesAnswer"];
type Known = number | null | undefined;
const MINUTE_MS = 60_000;

export const SPANS = { hour: { name: "Last hour", ms: 60 * MINUTE_MS }, day: { name: "Last day", ms: 24 * 60 * MINUTE_MS } } as const;
export type Span = keyof typeof SPANS;

/** Return the span of an address. */
export const spanOf = (text: string | undefined): Span => (text === "day" ? "day" : "hour");

/** Return the first millisecond of the minutes to show: a whole minute, since each value is of one. */
export const fromOf = (nowMs: number, span: Span): number => Math.floor(nowMs / MINUTE_MS) * MINUTE_MS - SPANS[span].ms;

/** Return the rate of the bytes of a minute. */
export const egressBps = (bytes: Known): number | null => (bytes === null || bytes === undefined ? null : (bytes * 8) / 60);

/** Return thousandths of a point for points a minute. */
export const perMinute = (rate: Known): number | null => (rate === null || rate === undefined ? null : Math.round(rate * 1000));

interface Plan {
  key: string;
  title: string;
  format: (value: number) => string;
  lines: readonly { name: string; series: string; of?: (value: Known) => number | null }[];
}

export const PLANS: readonly Plan[] = [
  { key: "sessions", title: "Open sessions", format: count, lines: [{ name: "sessions", series: "active_sessions" }] },
  { key: "points", title: "Points a minute", format: points, lines: [{ name: "points", series: "points_per_minute", of: perMinute }] },
  { key: "egress", title: "Egress", format: bitrate, lines: [{ name: "egress", series: "egress_bytes", of: egressBps }] },
  {
    key: "media", title: "Age of the newest media, worst live stream", format: millis,
    lines: [{ name: "age", series: "manifest_age_ms" }],
  },
  {
    key: "caches", title: "Found in the gateways' caches", format: percent,
    lines: [{ name: "playlists", series: "playlist_hit_ratio" }, { name: "segments", series: "segment_hit_ratio" }],
  },
  {
    key: "errors", title: "Refused and failed answers a minute", format: count,
    lines: [{ name: "refused (4xx)", series: "answers_4xx" }, { name: "failed (5xx)", series: "answers_5xx" }],
  },
];

/** The names of all series, for one request. */
export const NAMES = PLANS.flatMap((plan) => plan.lines.map((line) => line.series)).join(",");

/** Return the lines of a chart. A value that the API does not know stays unknown. */
export function linesOf(plan: Plan, answer: Answer): Line[] {
  const series: Partial<Record<string, (number | null)[]>> = answer.series;
  return plan.lines.map(({ name, series: of, of: convert = (value: Known): number | null => value ?? null }) => ({ name, values: (series[of] ?? []).map(convert) }));
}
