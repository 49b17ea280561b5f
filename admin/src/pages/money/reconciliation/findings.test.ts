import { describe, expect, it } from "vitest";
import { driftText, explanation, openCases, resultOf, suggestedAdjustment, type DayTotals, type Row } from "./findings";

const row = (more: Partial<Row>): Row => ({
  refund_millipoints: 0, outage_credit_millipoints: 0, unserved_credit_millipoints: 0, adjustment_millipoints: 0,
  served_ahead_millipoints: 0, drift_millipoints: 0, drift_ms: 0, reason: "ok", ...more,
} as Row);

describe("findings", () => {
  it("separate what agrees at once from what credits explain", () => {
    expect(resultOf(row({})).word).toBe("agrees");
    expect(resultOf(row({ outage_credit_millipoints: 1500 }))).toMatchObject({ word: "explained", text: "Agrees after 1.500 points for outages." });
    expect(explanation(row({ adjustment_millipoints: 10, served_ahead_millipoints: 20 }))).toContain("0.020 points paid for media fetched ahead");
  });
  it("say which side has more", () => {
    expect(driftText(-61_000, -2_000)).toBe("1:01 paid but not served (2.000 points)");
    expect(driftText(340, 5)).toBe("340 ms more served than paid (0.005 points)");
    expect(driftText(null, null)).toContain("unknown");
  });
  it("count open cases without those that are still measured", () => {
    expect(openCases({ disagreeing: 5, not_measured: 3 } as DayTotals)).toBe(2);
  });
  it("suggest to give back only what was paid and not served", () => {
    expect(suggestedAdjustment(row({ drift_millipoints: -700 }))).toBe(700);
    expect(suggestedAdjustment(row({ drift_millipoints: 700 }))).toBeNull();
    expect(suggestedAdjustment(row({ drift_millipoints: null }))).toBeNull();
  });
});
