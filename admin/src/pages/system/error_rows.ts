/** Which errors are shown, and in which order. */
import type { Schemas } from "../../api/client";

export type ErrorCount = Schemas["ErrorCount"];

export const errorKey = (each: ErrorCount): string => `${each.status} ${each.code} ${each.method} ${each.route}`;

/** Return the errors of a class (`4xx`, `5xx`, empty for all) that contain a text, sorted by `count` or `last`. */
export function shownErrors(items: readonly ErrorCount[], text: string, statusClass: string, sort: { key: string; down: boolean }): ErrorCount[] {
  const wanted = text.trim().toLowerCase();
  const value = (each: ErrorCount): number => (sort.key === "count" ? each.count : each.last_at_ms);
  return items
    .filter((each) => !statusClass || `${Math.floor(each.status / 100)}xx` === statusClass)
    .filter((each) => `${errorKey(each)} ${each.last_request_id ?? ""}`.toLowerCase().includes(wanted))
    .sort((a, b) => (sort.down ? value(b) - value(a) : value(a) - value(b)));
}
