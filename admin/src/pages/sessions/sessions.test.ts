import { expect, test } from "vitest";
import type { Session } from "../../live/pages";
import { driftWords, settlementWords, verdict, type Detail, type Line, type Reconciled } from "./ledger_words";
import { msOf, sumOf } from "./sums";
import { costOf, receiptOf, timelineOf } from "./timeline";

const detail = (more: Partial<Detail> = {}): Detail =>
  ({
    session_id: "s1", user_id: "u_1", email: "ann@local", stream_id: "films", stream_title: "Films", started_at_ms: 1000, lease_ms: 10_000,
    rate_millipoints_per_minute: 6000, ended_at_ms: 25_000, end_reason: "kicked", watched_ms: 24_000, message: "Bye", cut_off_measured: false,
    cut_off_ms: null, settled_at_ms: null, settled_ms: null, settled_millipoints: null, settled_debt_millipoints: null, media_ms: 20_000, ...more,
  }) as Detail;
const line = (n: number, kind: string, delta: number, at: number, note: string | null = null): Line =>
  ({ entry_id: `s1.${n}`, version: n, kind, delta_millipoints: delta, at_ms: at, note }) as Line;
const LINES = [line(1, "lease", -1000, 1000), line(2, "lease", -1000, 11_000), line(3, "lease", -1000, 21_000), line(4, "refund", 400, 25_000), line(5, "adjustment", 100, 90_000, "dark")];
const row = (more: Partial<Reconciled>): Reconciled =>
  ({ reason: "ok", drift_ms: 0, drift_millipoints: 0, paid_ms: 60_000, adjustment_millipoints: 0, rate_millipoints_per_minute: 6000, ...more }) as Reconciled;

test("the timeline joins leases and has end, settlement and adjustment in order", () => {
  const events = timelineOf(detail({ settled_at_ms: 80_000, settled_ms: -2000, settled_millipoints: 200 }), LINES);
  expect(events.map((event) => event.title)).toEqual(["Started", "3 leases", "Given back", "Ended", "Settled", "Adjusted"]);
  expect(events[1]).toMatchObject({ atMs: 1000, untilMs: 21_000, delta: -3000 });
  expect(events[3]?.text).toContain("not measured yet");
  expect(events[3]?.text).toContain("“Bye”");
});

test("leases after an outage are an event of their own", () => {
  const events = timelineOf(detail(), [line(1, "lease", -1, 1000), line(2, "outage_credit", 1, 5000), line(3, "lease", -1, 6000)]);
  expect(events.map((event) => event.title)).toEqual(["Started", "1 lease", "Given back: outage", "1 lease", "Ended"]);
});

test("the cost is what the lines say, without debts of earlier sessions", () => {
  expect(costOf(LINES)).toBe(2500);
  expect(costOf([...LINES, line(6, "debt_payment", -700, 1000)])).toBe(2500);
  expect(Object.is(costOf([]), 0)).toBe(true);
});

test("the receipt has the amounts of the lines", () => {
  const text = receiptOf(detail(), LINES, String);
  expect(text).toContain("Leases      3 bought for 3.000 points");
  expect(text).toContain("Given back  +0.400 points");
  expect(text).toContain("Cost        2.500 points");
  expect(receiptOf(detail({ ended_at_ms: null }), [], String)).toContain("To          it is active");
});

test("a drift is said in words", () => {
  expect(verdict(row({}))).toEqual({ kind: "agrees", text: "agrees" });
  expect(verdict(row({ drift_ms: 2000, drift_millipoints: 200 })).text).toContain("2.0 s (0.200 points) more served than paid");
  expect(verdict(row({ reason: "not_measured", drift_ms: null, paid_ms: null })).kind).toBe("explained");
  expect(verdict(row({ reason: "paid_not_served", drift_ms: -90_000, drift_millipoints: -9000 }))).toEqual({ kind: "open", text: "open: 90 s (9.000 points) more paid than served" });
  expect(driftWords(row({ drift_ms: null }))).toBe("nothing could be compared");
});

test("a drift that adjustments made is explained, and no other", () => {
  const adjusted = { reason: "served_not_paid", adjustment_millipoints: 6000, drift_millipoints: 6000 } as const;
  expect(verdict(row({ ...adjusted, drift_ms: 60_000, paid_ms: 0 })).kind).toBe("explained");
  expect(verdict(row({ ...adjusted, drift_ms: 160_000, paid_ms: 0 })).kind).toBe("open");
});

test("a settlement is said in words", () => {
  expect(settlementWords(detail())).toBeNull();
  expect(settlementWords(detail({ settled_at_ms: 1, settled_millipoints: 0 }))).toBe("nothing was due");
  expect(settlementWords(detail({ settled_at_ms: 1, settled_ms: 4000, settled_millipoints: -400, settled_debt_millipoints: 100 }))).toBe(
    "0.400 points paid for 4.0 s fetched ahead, of which 0.100 are open",
  );
});

test("unknown figures are counted, not added as 0", () => {
  const sessions = [{ charged_millipoints: 5 }, { charged_millipoints: null }, { charged_millipoints: 0 }] as Session[];
  expect(sumOf(sessions, (each) => each.charged_millipoints)).toEqual({ total: 5, unknown: 1 });
});

test("a time of an input is local, and nonsense is none", () => {
  expect(msOf("2026-12-01T10:00")).toBe(new Date(2026, 11, 1, 10).getTime());
  expect(msOf("")).toBeNull();
  expect(msOf("soon")).toBeNull();
});
