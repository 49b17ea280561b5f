/** What the overview reads beside the overview that the frame reads. */
import { read, get } from "../../api/client";
import { PAGE_MAX, readPages } from "../../live/pages";
import { usePoll, type Polled } from "../../live/poll";
import { operates } from "../../session/token";
import { loadHealth, type Health } from "../system/health";
import type { Schemas } from "../../api/client";
import type { Issue, Stream } from "./problems";
import { IssueRounds } from "./stream_issues";

const METRICS_MS = 10_000;
const HEALTH_MS = 20_000;
const STREAMS_MS = 10_000;
const STREAMS_MAX = 1_000;

/** Streams, and the open issues that were read so far. */
export interface StreamProblems {
  streams: readonly Stream[];
  issues: ReadonlyMap<string, readonly Issue[]>;
  /** Whether there are more streams than were read. */
  more: boolean;
}

export const useMetrics = (): Polled<Schemas["MetricsAnswer"]> => usePoll("metrics", (_, signal) => read("/monitoring/metrics", { signal }), METRICS_MS);

export const useHealth = (): Polled<Health> => usePoll("health", loadHealth, HEALTH_MS);

/** Read streams, and for operators their open issues in rounds. */
export function useStreamProblems(): Polled<StreamProblems> {
  const mayRead = operates();
  return usePoll(`streams ${mayRead}`, streamLoader(mayRead), STREAMS_MS);
}

function streamLoader(mayRead: boolean): (etag: string | undefined, signal: AbortSignal) => Promise<StreamProblems> {
  const rounds = new IssueRounds(async (streamId, signal) => {
    const page = await get("/streams/{stream_id}/issues", { params: { stream_id: streamId }, query: { state: "open", limit: 50 }, signal });
    return page.items;
  });
  return async (_, signal) => {
    const { items, more } = await readPages<Stream>((cursor) => get("/streams", { query: { limit: PAGE_MAX, cursor }, signal }), STREAMS_MAX);
    return { streams: items, more, issues: mayRead ? await rounds.next(items, signal) : new Map<string, readonly Issue[]>() };
  };
}
