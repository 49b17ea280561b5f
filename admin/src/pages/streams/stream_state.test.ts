import { expect, test } from "vitest";
import { impactOf, endsText } from "./impact";
import type { Session } from "../../live/pages";
import { hasTrouble, isShown, sorted, stateText, stateTone, totalsOf, troubleOf, type StreamState } from "./stream_state";

const stream = (changes: Partial<StreamState> = {}): StreamState => ({
  stream_id: "films", title: "Films", ingest_mode: "file", desired_state: "live", state: "live", waiting: null, source: "primary", last_error: null,
  rate_millipoints_per_minute: 1_000, viewers: 2, viewers_max: 0, millipoints_per_minute: 2_000, manifest_age_ms: 800, bitrate_bps: 1, ingest_bitrate_bps: 1, issues_open: 0, issue: null, ...changes,
});
const issue = (severity: "error" | "warning" | "info"): StreamState["issue"] => ({
  issue_id: "1", type: "no_sender", severity, since_ms: 0, closed_at_ms: null, close_reason: null, actual: "none for 9 s", expected: "a sender", advice: "send",
});

test("a state is in words", () => {
  expect(stateText(stream())).toBe("live");
  expect(stateText(stream({ state: "starting" }))).toBe("wanted live, starting");
  expect(stateText(stream({ state: "backoff", waiting: "no_worker" }))).toBe("wanted live, backoff (no worker)");
  expect(stateText(stream({ desired_state: "paused", state: "stopped" }))).toBe("paused");
  expect(stateText(stream({ desired_state: "stopped", state: "live" }))).toBe("wanted stopped, live");
  expect([stateTone(stream()), stateTone(stream({ state: "failed" })), stateTone(stream({ desired_state: "stopped", state: "live" }))]).toEqual(["good", "bad", "warn"]);
});

test("the problem is the issue, else the error of the worker", () => {
  expect(troubleOf(stream())).toBeNull();
  expect(troubleOf(stream({ issue: issue("error"), issues_open: 3, last_error: "x" }))).toEqual({ tone: "bad", title: "no sender", text: "none for 9 s", others: 2 });
  expect(troubleOf(stream({ state: "failed", last_error: "no file" }))).toMatchObject({ tone: "bad", text: "no file" });
  expect(hasTrouble(stream({ issue: issue("info") }))).toBe(false);
  expect(hasTrouble(stream({ issue: issue("warning") }))).toBe(true);
});

test("lists are filtered and sorted", () => {
  const off = stream({ stream_id: "b", title: "Archive", desired_state: "stopped", state: "stopped", viewers: null });
  const bad = stream({ stream_id: "c", title: "Studio", issue: issue("error") });
  expect(sorted([bad, stream(), off], "title", false).map((each) => each.title)).toEqual(["Archive", "Films", "Studio"]);
  expect(sorted([off, stream(), bad], "trouble", true)[0]).toBe(bad);
  expect([off, stream(), bad].filter((each) => isShown(each, "off", ""))).toEqual([off]);
  expect([off, stream(), bad].filter((each) => isShown(each, "trouble", "STU"))).toEqual([bad]);
  expect(totalsOf([off, bad])).toMatchObject({ live: 1, trouble: 1, viewers: null });
  expect(totalsOf([stream(), bad])).toMatchObject({ viewers: 4, millipoints: 4_000 });
});

test("what ends gives back what is paid ahead", () => {
  const session = (changes: object): Session => ({ kind: "viewing", paid_until_ms: 70_000, rate_millipoints_per_minute: 60_000, ...changes }) as Session;
  expect(impactOf([session({}), session({ kind: "preview" }), session({ paid_until_ms: 1 }), session({ paid_until_ms: null })], false, 60_000)).toEqual({ sessions: 4, more: false, refundMillipoints: 10_000 });
  expect(endsText({ sessions: 1, more: false, refundMillipoints: 10_000 })).toBe("1 session ends, and about 10.000 points are given back");
  expect(endsText({ sessions: 0, more: false, refundMillipoints: 0 })).toBe("Nobody watches it now");
  expect(endsText({ sessions: 1000, more: true, refundMillipoints: 5 })).toBe("More than 1,000 sessions end, and more than 0.005 points are given back");
});
