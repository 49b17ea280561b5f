/** Acts of operators in words, as `tollcast-admin audit` writes them. */
import type { Schemas } from "../../api/client";
import { localTime } from "../../format/units";
import { points, UNKNOWN } from "../../format/points";
import { words } from "../../format/words";

export type Entry = Schemas["AuditItem"];

/** A value that was set, or (`before` is there) changed. */
export interface Change {
  name: string;
  before?: string;
  after: string;
}

/** Return what changed, then what was set, then further details. */
export function changesOf({ before, after, details }: Pick<Entry, "before" | "after" | "details">): Change[] {
  const changed = Object.entries(before).map(([name, value]) => ({ name: nameOf(name), before: textOf(name, value), after: textOf(name, after[name]) }));
  const set = Object.entries({ ...Object.fromEntries(Object.entries(after).filter(([name]) => !(name in before))), ...details });
  return [...changed, ...set.map(([name, value]) => ({ name: nameOf(name), after: textOf(name, value) }))];
}

/** Return the page of an entry's target; null where it has none. */
export function targetHref({ action, target }: Pick<Entry, "action" | "target">): string | null {
  const id = encodeURIComponent(target);
  switch (action.split(".")[0]) {
    case "stream":
      return `/admin/streams/${id}`;
    case "session":
      return `/admin/sessions/${id}`;
    case "user":
    case "wallet":
      return `/admin/users/${id}`;
    case "payment":
      return `/admin/money?tab=payments&q=${id}`;
    case "key":
      return "/admin/system?tab=keys";
    default:
      return null;
  }
}

/** Return what to ask for: an id as it is; anything else is an email. */
export const isActorId = (text: string): boolean => /^(u_[a-z0-9]{20}|u_canary.*|key:.+)$/.test(text);

/** The unit goes, since the value has it. */
function nameOf(name: string): string {
  const bare = name === "millipoints" ? "amount" : name.replace(/_millipoints$/, "").replace("_millipoints_", " points ");
  return words(bare.replace(/_at_ms$/, ""));
}

function textOf(name: string, value: unknown): string {
  if (value === null || value === undefined || value === "") return UNKNOWN;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") {
    if (/(_at_ms|until_ms)$/.test(name)) return localTime(value);
    if (name.endsWith("millipoints")) return `${points(value)} points`;
    if (name.endsWith("millipoints_per_minute")) return `${points(value)} points a minute`;
    return String(value);
  }
  if (Array.isArray(value)) return value.map((each) => textOf("", each)).join("; ") || "none";
  if (typeof value === "object") {
    return Object.entries(value).map(([key, each]) => `${nameOf(key)} ${textOf(key, each)}`).join(", ") || "none";
  }
  return String(value);
}
