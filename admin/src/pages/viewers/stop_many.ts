/** Stops sessions, a few at a time, and says what came of each. */
import { shownError, write, type ApiError, type Schemas } from "../../api/client";
import { points } from "../../format/points";
import { plural, words } from "../../format/words";
import type { LiveRow } from "./live_rows";

export interface StopForm {
  reason: string;
  message: string;
  /** Null for no block. */
  blockMinutes: number | null;
  blockStream: boolean;
}

export type Kicked = Schemas["KickAnswer"];
export interface Stopped {
  row: LiveRow;
  /** How it ended, or why it did not. */
  end: Kicked | null;
  error: ApiError | null;
}

const AT_ONCE = 6;

/** Run `act` for all items, at most `AT_ONCE` at a time. Results are in the order of the items. */
export async function forAll<T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) {
      const n = next;
      next += 1;
      results[n] = await act(items[n] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, work));
  return results;
}

/** Stop a session. A failure is a result too. */
export async function stopOne(row: LiveRow, form: StopForm): Promise<Stopped> {
  const body: Schemas["KickRequest"] = {
    session_id: row.id,
    reason: form.reason.trim(),
    message: form.message.trim() || null,
    block_minutes: form.blockMinutes,
    block_stream: form.blockMinutes !== null && form.blockStream,
  };
  try {
    return { row, end: await write("post", "/playback/kick", { body }), error: null };
  } catch (error) {
    return { row, end: null, error: shownError(error) };
  }
}

/** Return the results as a sentence with figures. */
export function stopSentence(results: readonly Stopped[]): string {
  const ends = results.flatMap(({ end }) => (end ? [end] : []));
  const kicked = ends.filter((end) => end.end_reason === "kicked");
  const parts = [`${plural(kicked.length, "session")} ended, ${points(sum(kicked))} points given back.`];
  const blocks = new Set(ends.flatMap((end) => (end.block ? [end.block.user_id] : []))).size;
  if (blocks) parts.push(`${plural(blocks, "viewer")} blocked.`);
  const before = ends.length - kicked.length;
  if (before) parts.push(`${before} had ended before.`);
  const failed = results.length - ends.length;
  if (failed) parts.push(`${failed} could not be ended.`);
  return parts.join(" ");
}

/** Return what came of one session, in words. */
export function resultWords({ end, error }: Stopped): string {
  if (error) return error.message;
  if (!end) return "";
  const cost = `cost ${points(end.charged_millipoints)}, given back ${points(end.refunded_millipoints)}`;
  return end.end_reason === "kicked" ? `ended: ${cost}` : `had ended before (${words(end.end_reason)}): ${cost}`;
}

const sum = (ends: readonly Kicked[]): number => ends.reduce((total, end) => total + end.refunded_millipoints, 0);
