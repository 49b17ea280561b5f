/** What it does to viewers when a stream ends or restarts. */
import { get } from "../../api/client";
import { points } from "../../format/points";
import { plural } from "../../format/words";
import { PAGE_MAX, readPages, type Session } from "../../live/pages";

export interface Impact {
  sessions: number;
  /** Whether there are more than were counted. */
  more: boolean;
  /** What is paid and not yet watched, as of now. */
  refundMillipoints: number;
}

const COUNTED_MAX = 1_000;
const MS_PER_MINUTE = 60_000;

/** Return what these active sessions have paid ahead. A lease may end before the browser's clock says so. */
export function impactOf(sessions: readonly Session[], more: boolean, nowMs: number): Impact {
  const ahead = (session: Session): number =>
    session.kind === "viewing" && session.paid_until_ms !== null
      ? (Math.max(0, session.paid_until_ms - nowMs) * session.rate_millipoints_per_minute) / MS_PER_MINUTE
      : 0;
  return { sessions: sessions.length, more, refundMillipoints: Math.round(sessions.reduce((sum, each) => sum + ahead(each), 0)) };
}

/** Read who watches a stream now. */
export async function readImpact(streamId: string, signal?: AbortSignal): Promise<Impact> {
  const found = await readPages(
    (cursor) => get("/sessions", { query: { stream_id: streamId, state: "active", limit: PAGE_MAX, cursor }, signal }),
    COUNTED_MAX,
  );
  return impactOf(found.items, found.more, Date.now());
}

/** Return how many sessions: "12 sessions", "more than 1,000 sessions". */
export function sessionsText({ sessions, more }: Impact): string {
  return more ? `more than ${plural(sessions, "session")}` : plural(sessions, "session");
}

/** Return what ending them all does: "12 sessions end, and about 80.000 points are given back". */
export function endsText(impact: Impact): string {
  if (impact.sessions === 0) return "Nobody watches it now";
  const verb = impact.sessions === 1 && !impact.more ? "ends" : "end";
  const refund = impact.refundMillipoints > 0 ? `, and ${impact.more ? "more than" : "about"} ${points(impact.refundMillipoints)} points are given back` : "";
  return `${capital(sessionsText(impact))} ${verb}${refund}`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
