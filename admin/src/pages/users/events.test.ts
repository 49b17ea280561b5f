import { describe, expect, it } from "vitest";
import { byDay, changesText, kindOf, sessionText, valueOf, type Event } from "./events";

const at = (ms: number): Event => ({ at_ms: ms, event_id: String(ms) }) as Event;
const session = (more: object): NonNullable<Event["session"]> => ({
  active: false, kind: "viewing", charged_millipoints: 1500, watched_ms: 65_000, adjusted_millipoints: 0, end_reason: "viewer_stopped", ...more,
}) as NonNullable<Event["session"]>;

describe("events", () => {
  it("are grouped by local day in their order", () => {
    const noon = new Date(2026, 11, 1, 12).getTime();
    const days = byDay([at(noon + 3_600_000), at(noon), at(noon - 86_400_000)]);
    expect(days.map(({ day, events }) => [day, events.length])).toEqual([["2026-12-01", 2], ["2026-11-30", 1]]);
  });
  it("have only known kinds", () => {
    expect(kindOf("login")).toBe("login");
    expect(kindOf("x")).toBeNull();
  });
  it("say what a session cost, and never 0 for unknown", () => {
    expect(sessionText(session({}))).toBe("1.500 points for 1:05, ended by viewer stopped");
    expect(sessionText(session({ adjusted_millipoints: 500 }))).toContain("+0.500 by adjustments");
    expect(sessionText(session({ charged_millipoints: null, watched_ms: null }))).toBe("cost unknown for an unknown time, ended by viewer stopped");
    expect(sessionText(session({ active: true }))).toBe("Watches now");
  });
  it("say what an act changed", () => {
    expect(changesText({ before: { role: "viewer" }, after: { role: "operator" }, details: { reason: "asked" } })).toBe("role: viewer → operator, reason: asked");
    expect(changesText({ before: {}, after: { balance_millipoints: 1000 }, details: { millipoints: -500 } })).toBe("balance: 1.000 points, amount: −0.500 points");
    expect(valueOf("disabled", false)).toBe("no");
    expect(valueOf("cap", null)).toBe("none");
  });
});
