import { expect, test } from "vitest";
import type { Session } from "../../live/pages";
import { counts, filtered, refundEstimate, sorted, toRows, type LiveRow } from "./live_rows";

const session = (id: string, more: Partial<Session> = {}): Session =>
  ({
    session_id: id, user_id: `u_${id}`, email: `${id}@local`, stream_id: "films", stream_title: "Films", kind: "viewing",
    started_at_ms: 1000, is_canary: false, ip: "10.0.0.1", user_agent: "mpv", rendition: "720p", bitrate_bps: 3_000_000,
    charged_millipoints: 5000, balance_millipoints: 9000, rate_millipoints_per_minute: 60_000, paid_until_ms: 40_000,
    seconds_left: 100, is_fetching: true, last_fetch_at_ms: 900, ...more,
  }) as Session;
const rows = (...sessions: Session[]): LiveRow[] => toRows(sessions, new Map(), 10_000);
const known = (of: LiveRow[]): Map<string, LiveRow> => new Map(of.map((row) => [row.id, row]));

test("a row that shows the same stays the same object", () => {
  const before = rows(session("a"), session("b"));
  const after = toRows([session("a", { seconds_left: 98, last_fetch_at_ms: 2900 }), session("b", { charged_millipoints: 6000 })], known(before), 12_400);
  expect(after[0]).toBe(before[0]);
  expect(after[1]).not.toBe(before[1]);
  expect(after[1]?.spent).toBe(6000);
});

test("points that were added change how long they last", () => {
  const before = rows(session("a"));
  expect(toRows([session("a", { seconds_left: 900 })], known(before), 12_000)[0]?.lastsUntilMs).toBe(912_000);
});

test("sessions that do not fetch are not counted as watching", () => {
  expect(counts(rows(session("a"), session("b", { is_fetching: false }), session("c", { is_fetching: null })))).toEqual({ watching: 1, notFetching: 1, unknown: 1 });
});

test("the filter looks at who, stream and address", () => {
  const all = rows(session("a"), session("b", { ip: "192.0.2.7", is_fetching: null }), session("c", { stream_id: "news", stream_title: "News" }));
  const ids = (q: string, streamId = "", onlyWatching = false): string[] => filtered(all, { q, streamId, onlyWatching }).map((row) => row.id);
  expect(ids("A@LOCAL")).toEqual(["a"]);
  expect(ids("192.0")).toEqual(["b"]);
  expect(ids("u_b")).toEqual(["b"]);
  expect(ids("", "news")).toEqual(["c"]);
  expect(ids("", "", true)).toEqual(["a", "c"]);
});

test("what is unknown comes last in both directions", () => {
  const all = rows(session("a", { bitrate_bps: null }), session("b", { bitrate_bps: 1 }), session("c", { bitrate_bps: 2 }));
  expect(sorted(all, "bitrate", true).map((row) => row.id)).toEqual(["c", "b", "a"]);
  expect(sorted(all, "bitrate", false).map((row) => row.id)).toEqual(["b", "c", "a"]);
});

test("the rest of the paid time is given back, not that of previews", () => {
  expect(refundEstimate(rows(session("a"), session("b", { paid_until_ms: 5000 }), session("c", { kind: "preview" })), 10_000)).toBe(30_000);
});
