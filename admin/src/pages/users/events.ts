/** A user's timeline in words: the same as the terminal's. */
import type { Schemas } from "../../api/client";
import { points, signedPoints } from "../../format/points";
import { duration, localDay, localTime } from "../../format/units";
import { words } from "../../format/words";

export type Event = Schemas["TimelineItem"];
export type Act = Schemas["TimelineAct"];
export const KINDS = ["payment", "session", "login", "act"] as const;
export type Kind = (typeof KINDS)[number];
export const KIND_NAMES: Record<Kind, string> = { payment: "Money", session: "Sessions", login: "Logins", act: "Acts of operators" };

/** Return the kind that the address names, or null for all. */
export function kindOf(text: string | undefined): Kind | null {
  return KINDS.find((kind) => kind === text) ?? null;
}

/** Events of one local day. */
export interface Day {
  day: string;
  events: Event[];
}

/** Return events by local day, in their order. */
export function byDay(events: readonly Event[]): Day[] {
  const days: Day[] = [];
  for (const event of events) {
    const day = localDay(event.at_ms);
    const last = days.at(-1);
    if (last?.day === day) last.events.push(event);
    else days.push({ day, events: [event] });
  }
  return days;
}

/** Return what a session cost, as a sentence. */
export function sessionText(session: NonNullable<Event["session"]>): string {
  if (session.active) return session.kind === "preview" ? "Previews now" : "Watches now";
  const cost = session.charged_millipoints === null ? "cost unknown" : `${points(session.charged_millipoints)} points`;
  const adjusted = session.adjusted_millipoints ? `, ${signedPoints(session.adjusted_millipoints)} by adjustments` : "";
  return `${cost} for ${session.watched_ms === null ? "an unknown time" : duration(session.watched_ms)}${adjusted}, ended by ${words(session.end_reason)}`;
}

/** Return what changed, then further details: "role: viewer → operator, reason: …". */
export function changesText(act: Pick<Act, "before" | "after" | "details">): string {
  const changed = Object.keys(act.before).map((name) => `${nameOf(name)}: ${valueOf(name, act.before[name])} → ${valueOf(name, act.after[name])}`);
  const others = { ...Object.fromEntries(Object.entries(act.after).filter(([name]) => !(name in act.before))), ...act.details };
  const made = Object.entries(others).map(([name, value]) => `${nameOf(name)}: ${valueOf(name, value)}`);
  return [...changed, ...made].join(", ");
}

function nameOf(name: string): string {
  const short = name.endsWith("_millipoints") ? name.slice(0, -"_millipoints".length) : name === "millipoints" ? "amount" : name.replace(/_at_ms$|_ms$/, "");
  return words(short);
}

/** Return a value of an act as people read it. */
export function valueOf(name: string, value: unknown): string {
  if (value === null || value === undefined) return "none";
  if (typeof value === "number" && name.endsWith("millipoints")) return `${points(value)} points`;
  if (typeof value === "number" && /(_at|until)_ms$/.test(name)) return localTime(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
