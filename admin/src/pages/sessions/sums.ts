/** Totals of the sessions that are shown. */
import type { Session } from "../../live/pages";

export interface Sum {
  total: number;
  /** How many have no such figure (yet). */
  unknown: number;
}

/** Return the sum of a figure. What is unknown is counted, not added. */
export function sumOf(sessions: readonly Session[], of: (session: Session) => number | null): Sum {
  const known = sessions.map(of).filter((value) => value !== null);
  return { total: known.reduce((sum, value) => sum + value, 0), unknown: sessions.length - known.length };
}

/** Return the ms of a local date and time of an input, or null. */
export function msOf(text: string): number | null {
  const ms = text ? new Date(text).getTime() : Number.NaN;
  return Number.isFinite(ms) ? ms : null;
}
