/** Two versions of an account, field by field. */
import type { Problem, Schemas } from "../../../api/client";
import { words } from "../../../format/words";

export type Account = Schemas["EditableUserAnswer"];
export type Change = Schemas["EditUserRequest"];

export interface ConflictRow {
  field: string;
  seen: string;
  current: string;
  /** Empty if the change leaves the field alone. */
  wanted: string;
}

const FIELDS = ["role", "disabled"] as const;

function text(value: unknown): string {
  if (value === null || value === undefined) return "hidden";
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}

/** Return what differs between the version that was seen and the current one, and what the change wants. */
export function conflictRows(seen: Account, current: Account, change: Change, differing: Problem["differing"]): ConflictRow[] {
  const rows: ConflictRow[] = [];
  for (const field of FIELDS) {
    const wanted = change[field];
    if (seen[field] === current[field] && (wanted === null || wanted === undefined)) continue;
    rows.push({ field, seen: text(seen[field]), current: text(current[field]), wanted: wanted === null || wanted === undefined ? "" : text(wanted) });
  }
  for (const each of differing ?? []) {
    if (!FIELDS.some((field) => field === each.field)) {
      rows.push({ field: words(each.field), seen: text(each.seen), current: "changed", wanted: "" });
    }
  }
  return rows;
}
