/** Lines of a ledger, findings of the reconciliation and adjustments, in the words of the player and the terminal. */
import type { Schemas } from "../../api/client";
import { points, signedPoints } from "../../format/points";
import { millis } from "../../format/units";
import { words } from "../../format/words";

export type Detail = Schemas["SessionDetailAnswer"];
export type Line = Schemas["LedgerItem"];
export type Reconciled = Schemas["SessionReconciliation"];

const KINDS: Record<string, string> = {
  lease: "lease",
  unserved: "free: outage",
  refund: "given back",
  outage_credit: "given back: outage",
  credit: "received",
  adjustment: "adjusted",
  served_ahead: "fetched ahead",
  unserved_credit: "not served",
  debt_payment: "open points paid",
  reversal: "payment reversed",
};

export const kindWords = (kind: string): string => KINDS[kind] ?? words(kind);

export interface Verdict {
  kind: "agrees" | "explained" | "open";
  text: string;
}

/** As in the reconciliation: at least 20 s, or 5 % of what was paid. */
const TOLERANCE_MS = 20_000;
const TOLERANCE_RATIO = 0.05;

/** Return whether what was served agrees with what was paid, and if not, why. */
export function verdict(row: Reconciled): Verdict {
  switch (row.reason) {
    case "ok":
      return { kind: "agrees", text: row.drift_ms ? `agrees, within the tolerance of 20 s or 5 %: ${driftWords(row)}` : "agrees" };
    case "free":
      return { kind: "agrees", text: "agrees: nothing was to be paid" };
    case "not_measured":
      return { kind: "explained", text: "explained: a gateway's log has not come past the session's end. It is looked at again for a day." };
    case "credit_withheld":
      return { kind: "open", text: "open: the settings of this stage withhold a credit. Decide by an adjustment." };
    case "ledger_mismatch":
      return { kind: "open", text: "open: the ledger's lines do not add up to the session's record. Change nothing by hand." };
    default:
      if (isOfAdjustments(row)) return { kind: "explained", text: `explained: adjustments changed the cost by ${signedPoints(-row.adjustment_millipoints)} points` };
      return { kind: "open", text: `open: ${driftWords(row)}` };
  }
}

/** Whether the drift is within the tolerance without the adjustments, which are not about what was served. */
function isOfAdjustments(row: Reconciled): boolean {
  if (!row.adjustment_millipoints || row.drift_ms === null || row.paid_ms === null || !row.rate_millipoints_per_minute) return false;
  const adjustedMs = (row.adjustment_millipoints * 60_000) / row.rate_millipoints_per_minute;
  const paidMs = row.paid_ms + adjustedMs;
  return Math.abs(row.drift_ms - adjustedMs) <= Math.max(TOLERANCE_MS, paidMs * TOLERANCE_RATIO);
}

/** Return the drift as "2.1 s (1.050 points) more served than paid". */
export function driftWords(row: Reconciled): string {
  if (row.drift_ms === null) return "nothing could be compared";
  if (row.drift_ms === 0) return "no difference";
  const amount = row.drift_millipoints === null ? "" : ` (${points(Math.abs(row.drift_millipoints))} points)`;
  return `${millis(Math.abs(row.drift_ms))}${amount} ${row.drift_ms > 0 ? "more served than paid" : "more paid than served"}`;
}

/** Return what the settlement did, or null before it. */
export function settlementWords(session: Detail): string | null {
  if (session.settled_at_ms === null) return null;
  const amount = session.settled_millipoints ?? 0;
  const ms = session.settled_ms ?? 0;
  const debt = session.settled_debt_millipoints ? `, of which ${points(session.settled_debt_millipoints)} are open` : "";
  if (amount > 0) return `${points(amount)} points given back: ${millis(Math.abs(ms))} were not served`;
  if (amount < 0) return `${points(-amount)} points paid for ${millis(Math.abs(ms))} fetched ahead${debt}`;
  return "nothing was due";
}
