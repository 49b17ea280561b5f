import { describe, expect, it } from "vitest";
import { problemsOf, type Issue, type Known, type Stream } from "./problems";

const NOW = 1_800_000_000_000;
const OVERVIEW = {
  version: "1", at_ms: NOW, is_current: true, figures: { answers_5xx: 0 }, streams_live: 1, streams_delivered: 1, workers: 1, capacity: 4,
  streams_running: 1, work_queue_depth: 0, dead_letters: 0, canary_at_ms: NOW - 60_000, canary_is_ok: true,
} as NonNullable<Known["overview"]>;
const METRICS = { audit_failures: 0, cut_offs: [], reconciliation: { sessions: 9, disagreeing: 0, ledger_mismatches: 0, drift_points: 0 } } as unknown as NonNullable<Known["metrics"]>;
const STREAM = { stream_id: "a/b", title: "News", state: "live", desired_state: "live" } as Stream;
const ISSUE: Issue = {
  issue_id: "i1", type: "no_sender", severity: "error", since_ms: NOW - 5_000, closed_at_ms: null, close_reason: null, actual: "no sender", expected: "a sender", advice: "Start it.",
};
const of = (changes: Partial<Known>) => problemsOf({ nowMs: NOW, operates: true, finances: true, overview: OVERVIEW, metrics: METRICS, health: { status: "ok", version: "1", dependencies: { store: "ok" } }, ...changes });
const keys = (changes: Partial<Known>): string[] => of(changes).map((each) => each.key);
const overview = (changes: object): Partial<Known> => ({ overview: { ...OVERVIEW, ...changes } as typeof OVERVIEW });

describe("problemsOf", () => {
  it("finds none on a platform that works, nor where nothing is known", () => {
    expect(of({ streams: [STREAM], issues: new Map([["a/b", []]]) })).toEqual([]);
    expect(problemsOf({ nowMs: NOW, operates: true, finances: true })).toEqual([]);
  });

  it("takes unknown figures for no problem", () => {
    expect(keys(overview({ workers: null, capacity: null, streams_running: null, work_queue_depth: null, dead_letters: null, canary_at_ms: null, canary_is_ok: null, figures: {} }))).toEqual([]);
  });

  it("has the most severe first, and of these the newest", () => {
    const old = { ...ISSUE, issue_id: "old", since_ms: NOW - 90_000 };
    const note = { ...ISSUE, issue_id: "note", severity: "info" as const };
    const found = of({ ...overview({ dead_letters: 2 }), streams: [STREAM], issues: new Map([["a/b", [note, old, ISSUE]]]) });
    expect(found.map((each) => each.key)).toEqual(["issue i1", "issue old", "dead", "issue note"]);
    expect(found[0]).toMatchObject({ href: "/admin/streams/a%2Fb", title: "News: no sender", text: "Now no sender, expected a sender. Start it." });
  });

  it("says that a stream is down only where no issue does", () => {
    const down = { ...STREAM, state: "backoff" } as Stream;
    expect(keys({ streams: [down] })).toEqual(["stream a/b"]);
    expect(keys({ streams: [down], issues: new Map([["a/b", [ISSUE]]]) })).toEqual(["issue i1"]);
    expect(keys({ streams: [{ ...down, desired_state: "stopped" } as Stream] })).toEqual([]);
  });

  it("distinguishes no worker from full workers, with or without waiting streams", () => {
    expect(of(overview({ workers: 0 }))[0]).toMatchObject({ key: "workers", severity: "error" });
    expect(of(overview({ workers: 0, streams_live: 0 }))).toEqual([]);
    expect(of(overview({ streams_running: 4, streams_live: 4 }))[0]).toMatchObject({ key: "capacity", severity: "warning" });
    expect(of(overview({ streams_running: 4, streams_live: 6 }))[0]).toMatchObject({ key: "capacity", severity: "error" });
  });

  it("reports a canary that failed or went silent, but not one that was given up", () => {
    expect(of(overview({ canary_is_ok: false }))[0]).toMatchObject({ key: "canary", severity: "error" });
    expect(of(overview({ canary_at_ms: NOW - 16 * 60_000 }))[0]).toMatchObject({ key: "canary", severity: "warning" });
    expect(of(overview({ canary_at_ms: NOW - 25 * 3_600_000 }))).toEqual([]);
  });

  it("reports old figures, failed dependencies, missing audit entries and disagreements", () => {
    expect(keys(overview({ is_current: false }))).toEqual(["old"]);
    expect(of({ health: { status: "failed", version: "1", dependencies: { store: "failed", queue: "ok" } } })[0]?.title).toBe("The API cannot use store");
    expect(keys({ metrics: { ...METRICS, audit_failures: 1 } })).toEqual(["audit"]);
    const metrics = { ...METRICS, reconciliation: { sessions: 9, disagreeing: 3, ledger_mismatches: 1, drift_points: 1 } };
    expect(of({ metrics }).map((each) => [each.key, each.severity])).toEqual([["ledger", "error"], ["drift", "warning"]]);
  });

  it("counts streams that are not delivered for those who do not see which", () => {
    expect(of({ ...overview({ streams_delivered: 0 }), operates: false })[0]?.title).toBe("1 of 1 live stream does not reach viewers");
    expect(keys(overview({ streams_delivered: 0 }))).toEqual([]);
    expect(keys({ ...overview({ streams_delivered: null }), operates: false })).toEqual([]);
  });

  it("links to no page that the role may not open", () => {
    const metrics = { ...METRICS, reconciliation: { sessions: 9, disagreeing: 3, ledger_mismatches: 0, drift_points: 1 } };
    expect(of({ metrics, finances: false })[0]?.href).toBeNull();
    expect(of({ ...overview({ workers: 0 }), operates: false })[0]?.href).toBeNull();
    expect(keys({ streams: [{ ...STREAM, state: "failed" } as Stream], operates: false })).toEqual([]);
  });
});
