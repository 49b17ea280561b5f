/** The state of a stream in words. */
import type { Schemas } from "../../api/client";
import { words } from "../../format/words";
import type { Tone } from "../../ui/parts";

export type StreamState = Schemas["StreamStateAnswer"];
type Severity = Schemas["Severity"];

interface States {
  state: Schemas["RuntimeState"];
  desired_state: Schemas["DesiredState"];
  waiting?: string | null;
}

/** Return what was asked for and what really happens: "live", "wanted live, starting", "paused". */
export function stateText({ state, desired_state: wanted, waiting }: States): string {
  const why = waiting ? ` (${words(waiting)})` : "";
  if (state === wanted) return state + why;
  if (state === "stopped" && wanted === "paused") return "paused";
  return `wanted ${wanted}, ${state}${why}`;
}

export function stateTone({ state, desired_state: wanted }: States): Tone {
  if (wanted === "live") return state === "live" ? "good" : state === "starting" ? "accent" : "bad";
  return state === "stopped" ? "plain" : "warn";
}

export const SEVERITY_TONES: Record<Severity, Tone> = { error: "bad", warning: "warn", info: "accent" };

export interface Trouble {
  tone: Tone;
  /** What is wrong: "no sender". */
  title: string;
  /** Its figures, or the worker's words. */
  text: string;
  /** How many other issues are open. */
  others: number;
}

/** Return what is wrong with a stream, the worst first: its most severe open issue, or its worker's last error. */
export function troubleOf(stream: StreamState): Trouble | null {
  const { issue } = stream;
  if (issue) return { tone: SEVERITY_TONES[issue.severity], title: words(issue.type), text: issue.actual, others: stream.issues_open - 1 };
  const isDown = stream.desired_state === "live" && stream.state !== "live";
  if (stream.last_error) return { tone: isDown ? "bad" : "plain", title: isDown ? "" : "last error", text: stream.last_error, others: 0 };
  return null;
}

/** Whether a stream needs somebody: it is not what was asked for, or has an issue that viewers notice. */
export function hasTrouble(stream: StreamState): boolean {
  const tone = stateTone(stream);
  return tone === "bad" || tone === "warn" || (stream.issue !== null && stream.issue.severity !== "info");
}

export const SHOWN = ["all", "live", "trouble", "off"] as const;
export type Shown = (typeof SHOWN)[number];

/** Return whether a stream is in a choice of the list. */
export function isShown(stream: StreamState, shown: Shown, search: string): boolean {
  const wanted = search.trim().toLowerCase();
  if (wanted && !stream.title.toLowerCase().includes(wanted) && !stream.stream_id.includes(wanted)) return false;
  if (shown === "live") return stream.desired_state === "live";
  if (shown === "off") return stream.desired_state !== "live";
  return shown === "all" || hasTrouble(stream);
}

const SEVERITIES: Severity[] = ["info", "warning", "error"];
const rank = (stream: StreamState): number =>
  (stateTone(stream) === "bad" ? 10 : 0) + (stream.issue ? 1 + SEVERITIES.indexOf(stream.issue.severity) : 0);
const KEYS: Record<string, (stream: StreamState) => number> = {
  trouble: rank,
  viewers: (stream) => stream.viewers ?? -1,
  points: (stream) => stream.millipoints_per_minute ?? -1,
  age: (stream) => stream.manifest_age_ms ?? -1,
  bitrate: (stream) => stream.bitrate_bps ?? -1,
};

/** Return the streams in the order of a column, and within it by title. */
export function sorted(streams: readonly StreamState[], key: string, down: boolean): StreamState[] {
  const value = KEYS[key];
  const byTitle = (a: StreamState, b: StreamState): number => a.title.localeCompare(b.title) || a.stream_id.localeCompare(b.stream_id);
  const way = down ? -1 : 1;
  return [...streams].sort((a, b) => (value ? way * (value(a) - value(b)) || byTitle(a, b) : way * byTitle(a, b)));
}

export interface Totals {
  live: number;
  trouble: number;
  /** Null if one of the streams is not known. */
  viewers: number | null;
  millipoints: number | null;
}

export function totalsOf(streams: readonly StreamState[]): Totals {
  const sum = (values: (number | null)[]): number | null =>
    values.reduce<number | null>((total, value) => (total === null || value === null ? null : total + value), 0);
  return {
    live: streams.filter((each) => each.state === "live").length,
    trouble: streams.filter(hasTrouble).length,
    viewers: sum(streams.map((each) => each.viewers)),
    millipoints: sum(streams.map((each) => each.millipoints_per_minute)),
  };
}
