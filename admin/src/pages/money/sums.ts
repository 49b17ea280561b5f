/** The equations of the money totals, in millipoints. All figures are integers, so they are exact. */
import type { Schemas } from "../../api/client";

export type Sums = Schemas["TotalsItem"];
export type Period = Schemas["PeriodItem"];

export interface Term {
  name: string;
  sign: 1 | -1;
  millipoints: number;
}

/** Return what the sessions of a period cost, term by term. */
export function costTerms(of: Sums): Term[] {
  return [
    { name: "leases", sign: 1, millipoints: of.lease_millipoints },
    { name: "given back", sign: -1, millipoints: of.refund_millipoints },
    { name: "outages", sign: -1, millipoints: of.outage_credit_millipoints },
    { name: "adjustments", sign: -1, millipoints: of.adjustment_millipoints },
    { name: "fetched ahead", sign: 1, millipoints: of.served_ahead_millipoints },
    { name: "not served", sign: -1, millipoints: of.unserved_credit_millipoints },
  ];
}

/** Return what changed all wallets in a period, term by term. */
export function ledgerTerms(of: Sums): Term[] {
  return [
    { name: "received", sign: 1, millipoints: of.credit_millipoints },
    { name: "taken", sign: -1, millipoints: of.removal_millipoints },
    { name: "reversed", sign: -1, millipoints: of.reversal_millipoints },
    { name: "cost of sessions", sign: -1, millipoints: of.net_millipoints },
    { name: "debts paid", sign: -1, millipoints: of.debt_payment_millipoints },
  ];
}

/** Return the sum of terms. */
export function sumOf(terms: readonly Term[]): number {
  return terms.reduce((sum, { sign, millipoints }) => sum + sign * millipoints, 0);
}

/** Return what does not add up, in words: the equations of each period, and the periods against the whole range. */
export function faultsOf(periods: readonly Period[], total: Sums): string[] {
  const faults: string[] = [];
  for (const each of [...periods, { ...total, period: "the whole range" }]) {
    if (sumOf(costTerms(each)) !== each.net_millipoints) faults.push(`the cost of ${each.period}`);
    if (sumOf(ledgerTerms(each)) !== each.ledger_millipoints) faults.push(`the ledger of ${each.period}`);
  }
  for (const name of Object.keys(total) as (keyof Sums)[]) {
    const sum = periods.reduce((found, each) => found + each[name], 0);
    if (sum !== total[name]) faults.push(`the sum of ${name.replace("_millipoints", "").replaceAll("_", " ")}`);
  }
  return faults;
}

/** Whether anything happened in a period. */
export function hasMoney(of: Period): boolean {
  return Object.values(of).some((value) => typeof value === "number" && value !== 0);
}
