import { describe, expect, it } from "vitest";
import { costTerms, faultsOf, hasMoney, ledgerTerms, sumOf, type Period, type Sums } from "./sums";

const EMPTY: Sums = {
  sessions: 0, lease_millipoints: 0, refund_millipoints: 0, outage_credit_millipoints: 0, served_ahead_millipoints: 0,
  unserved_credit_millipoints: 0, adjustment_millipoints: 0, net_millipoints: 0, debt_millipoints: 0, debt_payment_millipoints: 0,
  payments: 0, credit_millipoints: 0, removal_millipoints: 0, reversals: 0, reversal_millipoints: 0, shortfall_millipoints: 0,
  ledger_millipoints: 0,
};
const day = (period: string, sums: Partial<Sums>): Period => ({ ...EMPTY, ...sums, period, is_over: true });
const BUSY = {
  sessions: 2, lease_millipoints: 10_000, refund_millipoints: 1_500, outage_credit_millipoints: 250, served_ahead_millipoints: 100,
  unserved_credit_millipoints: 50, adjustment_millipoints: 300, net_millipoints: 8_000, debt_payment_millipoints: 7,
  payments: 1, credit_millipoints: 100_000, removal_millipoints: 1_000, reversal_millipoints: 500, reversals: 1, ledger_millipoints: 90_493,
};

describe("sums", () => {
  it("follow the equations", () => {
    const busy = day("2026-12-01", BUSY);
    expect(sumOf(costTerms(busy))).toBe(8_000);
    expect(sumOf(ledgerTerms(busy))).toBe(90_493);
    expect(faultsOf([busy, day("2026-12-02", {})], { ...EMPTY, ...BUSY })).toEqual([]);
  });
  it("report a difference of one millipoint", () => {
    const wrong = day("2026-12-01", { ...BUSY, ledger_millipoints: 90_494 });
    expect(faultsOf([wrong], { ...EMPTY, ...BUSY })).toEqual(["the ledger of 2026-12-01", "the sum of ledger"]);
  });
  it("know a period without money", () => {
    expect(hasMoney(day("2026-12-01", {}))).toBe(false);
    expect(hasMoney(day("2026-12-01", { payments: 1 }))).toBe(true);
  });
});
