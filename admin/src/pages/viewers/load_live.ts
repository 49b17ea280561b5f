/** Reads who watches and who has just left. Pages that have not changed are not sent again. */
import { read, type Answer, type Parameters } from "../../api/client";
import { PAGE_MAX, readPages, type Session } from "../../live/pages";
import { toRows, type LiveRow } from "./live_rows";

type Page = Answer<"/sessions", "get">;
type Query = NonNullable<Parameters<"/sessions", "get">["query"]>;

export const LIVE_MAX = 1_000;
/** Who has left stays for a minute, and until the cut-off is measured, but not longer than the second. */
export const LEFT_MS = 60_000;
export const CUT_OFF_MS_MAX = 240_000;

export interface Live {
  rows: LiveRow[];
  /** Whether there are more sessions than were read. */
  more: boolean;
  left: Session[];
  moreLeft: boolean;
}

/** Return a function that reads all once. It remembers the answers of its last call. */
export function liveReader(): (signal: AbortSignal) => Promise<Live> {
  let pages = new Map<string, { etag: string; page: Page }>();
  let rows = new Map<string, LiveRow>();
  return async (signal) => {
    const seen: typeof pages = new Map();
    const page = async (query: Query): Promise<Page> => {
      const key = JSON.stringify({ ...query, from_ms: undefined });
      const old = pages.get(key);
      const found = await read("/sessions", { query, ifNoneMatch: old?.etag, signal });
      const now = found.unchanged ? old?.page : found.data;
      if (!now) throw new Error("304 for a page that was never read");
      const etag = found.unchanged ? old?.etag : found.etag;
      if (etag) seen.set(key, { etag, page: now });
      return now;
    };
    const now = Date.now();
    const [live, ended] = await Promise.all([
      readPages((cursor) => page({ state: "active", limit: PAGE_MAX, cursor }), LIVE_MAX),
      page({ state: "ended", limit: PAGE_MAX, from_ms: now - CUT_OFF_MS_MAX }),
    ]);
    pages = seen;
    const found = toRows(live.items, rows, Date.now());
    rows = new Map(found.map((row) => [row.id, row]));
    const left = ended.items.filter((session) => isShown(session, now));
    return { rows: found, more: live.more, left, moreLeft: ended.next_cursor !== null };
  };
}

/** Whether a session that has ended is still shown. */
export function isShown(session: Session, nowMs: number): boolean {
  const age = nowMs - (session.ended_at_ms ?? 0);
  return age < LEFT_MS || (session.cut_off_measured !== null && age < CUT_OFF_MS_MAX);
}
