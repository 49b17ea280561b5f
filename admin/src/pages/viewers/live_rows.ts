/** The rows of live viewers: only what is shown, so that a poll changes no row whose figures are the same. */
import type { Session } from "../../live/pages";

export interface LiveRow {
  id: string;
  userId: string;
  email: string | null;
  streamId: string;
  streamTitle: string | null;
  isPreview: boolean;
  isCanary: boolean;
  startedAtMs: number;
  ip: string | null;
  agent: string | null;
  rendition: string | null;
  bitrateBps: number | null;
  spent: number | null;
  balance: number | null;
  rate: number;
  paidUntilMs: number | null;
  /** When the points are used up; null for a free stream. */
  lastsUntilMs: number | null;
  /** Whether media is fetched; null while nobody knows. */
  isFetching: boolean | null;
  lastFetchAtMs: number | null;
}

/** The API says how long the points last in whole seconds, as of its answer: smaller differences are no change. */
const LASTS_MS = 3_000;

/** Return the rows of sessions, with the same object as before for each that shows the same. */
export function toRows(sessions: readonly Session[], before: ReadonlyMap<string, LiveRow>, atMs: number): LiveRow[] {
  return sessions.map((session) => {
    const row = toRow(session, atMs);
    const old = before.get(row.id);
    if (!old) return row;
    if (row.lastsUntilMs !== null && old.lastsUntilMs !== null && Math.abs(row.lastsUntilMs - old.lastsUntilMs) < LASTS_MS) {
      row.lastsUntilMs = old.lastsUntilMs;
    }
    return isSame(old, row) ? old : row;
  });
}

function isSame(one: LiveRow, other: LiveRow): boolean {
  return (Object.keys(one) as (keyof LiveRow)[]).every((name) => one[name] === other[name]);
}

function toRow(session: Session, atMs: number): LiveRow {
  return {
    id: session.session_id,
    userId: session.user_id,
    email: session.email,
    streamId: session.stream_id,
    streamTitle: session.stream_title,
    isPreview: session.kind === "preview",
    isCanary: session.is_canary,
    startedAtMs: session.started_at_ms,
    ip: session.ip,
    agent: session.user_agent,
    rendition: session.rendition,
    bitrateBps: session.bitrate_bps,
    spent: session.charged_millipoints,
    balance: session.balance_millipoints,
    rate: session.rate_millipoints_per_minute,
    paidUntilMs: session.paid_until_ms,
    lastsUntilMs: session.seconds_left === null ? null : atMs + session.seconds_left * 1000,
    isFetching: session.is_fetching,
    // While it fetches, this changes all the time and is not shown.
    lastFetchAtMs: session.is_fetching === false ? session.last_fetch_at_ms : null,
  };
}

export interface Wanted {
  q: string;
  streamId: string;
  onlyWatching: boolean;
}

/** Return the rows that a filter lets through. */
export function filtered(rows: readonly LiveRow[], { q, streamId, onlyWatching }: Wanted): LiveRow[] {
  const text = q.trim().toLowerCase();
  return rows.filter((row) => {
    if (streamId && row.streamId !== streamId) return false;
    if (onlyWatching && row.isFetching !== true) return false;
    if (!text) return true;
    return [row.email, row.userId, row.streamId, row.streamTitle, row.ip, row.id].some((each) => each?.toLowerCase().includes(text));
  });
}

export const SORTS = [
  { key: "since", name: "Since", of: (row: LiveRow) => row.startedAtMs },
  { key: "who", name: "Who", of: (row: LiveRow) => row.email ?? row.userId },
  { key: "stream", name: "Stream", of: (row: LiveRow) => row.streamTitle ?? row.streamId },
  { key: "rendition", name: "Rendition", of: (row: LiveRow) => row.rendition },
  { key: "bitrate", name: "Bitrate", of: (row: LiveRow) => row.bitrateBps },
  { key: "spent", name: "Spent", of: (row: LiveRow) => row.spent },
  { key: "balance", name: "Balance", of: (row: LiveRow) => row.balance },
  { key: "left", name: "Left", of: (row: LiveRow) => row.lastsUntilMs },
] as const;

/** Return the rows in an order; those without the figure are last. */
export function sorted(rows: readonly LiveRow[], key: string, down: boolean): LiveRow[] {
  const of = (SORTS.find((each) => each.key === key) ?? SORTS[0]).of;
  const sign = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const one = of(a);
    const other = of(b);
    if (one === null || other === null) return one === other ? (a.id < b.id ? -1 : 1) : one === null ? 1 : -1;
    return one === other ? (a.id < b.id ? -1 : 1) : one < other ? -sign : sign;
  });
}

/** How many watch, hold a session without fetching, and are not known to do either. */
export function counts(rows: readonly LiveRow[]): { watching: number; notFetching: number; unknown: number } {
  const watching = rows.filter((row) => row.isFetching === true).length;
  const notFetching = rows.filter((row) => row.isFetching === false).length;
  return { watching, notFetching, unknown: rows.length - watching - notFetching };
}

/** Return what ending these sessions now gives back: the rest of their paid time. An estimate, since time goes on. */
export function refundEstimate(rows: readonly LiveRow[], nowMs: number): number {
  return rows.reduce((sum, row) => {
    const restMs = row.isPreview || row.paidUntilMs === null ? 0 : Math.max(0, row.paidUntilMs - nowMs);
    return sum + Math.floor((restMs * row.rate) / 60_000);
  }, 0);
}
