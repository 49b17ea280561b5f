import { expect, it } from "vitest";
import { egressBps, fromOf, linesOf, NAMES, PLANS, spanOf } from "./charts_data";

it("shows whole minutes, an hour of them unless a day is asked for", () => {
  expect(fromOf(7_260_000 + 59_999, "hour")).toBe(7_260_000 - 3_600_000);
  expect([spanOf(undefined), spanOf("day"), spanOf("year")]).toEqual(["hour", "day", "hour"]);
});

it("asks for each series once", () => {
  const names = NAMES.split(",");
  expect(new Set(names).size).toBe(names.length);
});

it("keeps unknown values unknown", () => {
  const egress = PLANS.find((plan) => plan.key === "egress");
  const answer = { series: { egress_bytes: [null, 0, 7_500_000] } } as never;
  expect(egress && linesOf(egress, answer)[0]?.values).toEqual([null, 0, 1_000_000]);
  expect([egressBps(undefined), egressBps(null)]).toEqual([null, null]);
});
