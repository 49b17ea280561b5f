/** Results of the reconciliation in words. */
import type { Schemas } from "../../../api/client";
import { points } from "../../../format/points";
import { duration } from "../../../format/units";
import type { Tone } from "../../../ui/parts";

export type Row = Schemas["SessionReconciliation"];
export type DayTotals = Schemas["DayTotalsAnswer"];

export interface Result {
  tone: Tone;
  word: string;
  /** Why, or what to do. */
  text: string;
}

const CREDITS: readonly (readonly [keyof Row, string])[] = [
  ["refund_millipoints", "given back at the end"],
  ["outage_credit_millipoints", "for outages"],
  ["unserved_credit_millipoints", "for media that was not served"],
  ["adjustment_millipoints", "by adjustments"],
];

/** Return what the reconciliation of a session says. */
export function resultOf(row: Row): Result {
  switch (row.reason) {
    case "ok": {
      const why = explanation(row);
      return why ? { tone: "good", word: "explained", text: why } : { tone: "good", word: "agrees", text: "Ledger, leases and served media agree." };
    }
    case "free":
      return { tone: "good", word: "free", text: "There was nothing to pay." };
    case "not_measured":
      return { tone: "plain", word: "not measured", text: "The gateway's logs of its time are not complete yet. It is looked at again for a day." };
    case "paid_not_served":
      return { tone: "warn", word: "paid, not served", text: "The viewer paid for more than was served. Give points back by an adjustment." };
    case "served_not_paid":
      return { tone: "warn", word: "served, not paid", text: "More was served than was paid. Nothing can be taken for it." };
    case "credit_withheld":
      return { tone: "warn", word: "credit withheld", text: "The settings do not allow the credit. Decide, and give it by an adjustment." };
    case "ledger_mismatch":
      return { tone: "bad", word: "ledger differs", text: "The ledger's lines do not add up to the session's record. Change nothing by hand; report it." };
  }
}

/** Return which credits made a session agree; empty if it had none. */
export function explanation(row: Row): string {
  const parts = CREDITS.flatMap(([field, words]) => {
    const millipoints = row[field] as number;
    return millipoints ? [`${points(millipoints)} points ${words}`] : [];
  });
  if (row.served_ahead_millipoints) parts.push(`${points(row.served_ahead_millipoints)} points paid for media fetched ahead`);
  return parts.length ? `Agrees after ${parts.join(", ")}.` : "";
}

/** Return what was served against what was paid, in words. */
export function driftText(ms: number | null, millipoints: number | null): string {
  if (ms === null) return "unknown: nothing to compare";
  if (ms === 0) return "exactly what was paid was served";
  const size = Math.abs(ms) < 1000 ? `${Math.abs(ms)} ms` : duration(Math.abs(ms));
  const worth = millipoints === null ? "" : ` (${points(Math.abs(millipoints))} points)`;
  return ms > 0 ? `${size} more served than paid${worth}` : `${size} paid but not served${worth}`;
}

/** Return how many sessions of a day need a decision. Those that are not measured are still looked at. */
export function openCases(day: DayTotals): number {
  return Math.max(0, day.disagreeing - day.not_measured);
}

/** Return what an adjustment may give back for a drift: what was paid and not served. */
export function suggestedAdjustment(row: Row): number | null {
  return row.drift_millipoints !== null && row.drift_millipoints < 0 ? -row.drift_millipoints : null;
}
