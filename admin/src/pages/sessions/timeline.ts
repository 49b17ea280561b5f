/** What happened to a session, in its order. */
import { points, signedPoints } from "../../format/points";
import { duration, millis } from "../../format/units";
import { plural, words } from "../../format/words";
import { kindWords, settlementWords, type Detail, type Line } from "./ledger_words";

export interface Event {
  key: string;
  atMs: number;
  /** When the last of several leases was bought. */
  untilMs?: number;
  kind: "start" | "leases" | "line" | "end" | "settled" | "adjusted";
  title: string;
  text: string;
  /** What the wallet got or (negative) paid; null if it is not about money. */
  delta: number | null;
}

const OF_SETTLEMENT = new Set(["served_ahead", "unserved_credit"]);

/** Return the events of a session: leases that follow each other are one event. */
export function timelineOf(session: Detail, lines: readonly Line[]): Event[] {
  const events: Event[] = [
    { key: "start", atMs: session.started_at_ms, kind: "start", title: "Started", text: `at ${points(session.rate_millipoints_per_minute)} points a minute, in leases of ${duration(session.lease_ms)}`, delta: null },
  ];
  for (const line of lines) {
    const last = events[events.length - 1];
    if (line.kind === "lease" && last?.kind === "leases") {
      last.untilMs = line.at_ms;
      last.delta = (last.delta ?? 0) + line.delta_millipoints;
      last.title = plural(Number(last.title.split(" ")[0]?.replaceAll(",", "")) + 1, "lease");
    } else if (line.kind === "lease") {
      events.push({ key: line.entry_id, atMs: line.at_ms, kind: "leases", title: "1 lease", text: "bought", delta: line.delta_millipoints });
    } else if (line.kind === "adjustment") {
      events.push({ key: line.entry_id, atMs: line.at_ms, kind: "adjusted", title: "Adjusted", text: line.note || "without a note", delta: line.delta_millipoints });
    } else if (!OF_SETTLEMENT.has(line.kind)) {
      events.push({ key: line.entry_id, atMs: line.at_ms, kind: "line", title: capital(kindWords(line.kind)), text: line.note ?? "", delta: line.delta_millipoints });
    }
  }
  if (session.ended_at_ms !== null) {
    const cutOff = session.cut_off_measured === null ? "" : session.cut_off_measured ? ` Media was still served for ${millis(session.cut_off_ms)}.` : " How long media was still served is not measured yet.";
    const said = session.message ? ` The viewer was told: “${session.message}”.` : "";
    events.push({ key: "end", atMs: session.ended_at_ms, kind: "end", title: "Ended", text: `${words(session.end_reason)} after ${duration(session.watched_ms)}.${cutOff}${said}`, delta: null });
  }
  const settlement = settlementWords(session);
  if (settlement && session.settled_at_ms !== null) {
    events.push({ key: "settled", atMs: session.settled_at_ms, kind: "settled", title: "Settled", text: settlement, delta: session.settled_millipoints });
  }
  // Stable: what has the same time stays in the order of the ledger.
  return events.sort((a, b) => a.atMs - b.atMs);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Return the session's cost by its lines: what the wallet paid less what it got back. */
export function costOf(lines: readonly Line[]): number {
  // `|| 0`: the negative of 0 is -0.
  return -lines.reduce((sum, line) => sum + (line.kind === "debt_payment" ? 0 : line.delta_millipoints), 0) || 0;
}

/** Return the receipt as text, to print or copy. */
export function receiptOf(session: Detail, lines: readonly Line[], time: (ms: number) => string): string {
  const sum = (...kinds: string[]): number => lines.filter((line) => kinds.includes(line.kind)).reduce((total, line) => total + line.delta_millipoints, 0);
  const leases = lines.filter((line) => line.kind === "lease").length;
  const has = (kind: string): boolean => lines.some((line) => line.kind === kind);
  const rows: [string, string][] = [
    ["Session", session.session_id],
    ["Viewer", session.email ?? session.user_id],
    ["Stream", session.stream_title ? `${session.stream_title} (${session.stream_id})` : session.stream_id],
    ["From", time(session.started_at_ms)],
    ["To", session.ended_at_ms === null ? "it is active" : time(session.ended_at_ms)],
  ];
  if (session.ended_at_ms !== null) rows.push(["Ended", words(session.end_reason)], ["Watched", duration(session.watched_ms)]);
  rows.push(["Rate", `${points(session.rate_millipoints_per_minute)} points a minute`], ["Leases", `${leases} bought for ${points(-sum("lease") || 0)} points`]);
  if (has("refund")) rows.push(["Given back", `${signedPoints(sum("refund"))} points`]);
  if (has("outage_credit")) rows.push(["For outages", `${signedPoints(sum("outage_credit"))} points`]);
  const settlement = settlementWords(session);
  if (settlement) rows.push(["Settled", settlement]);
  if (has("adjustment")) rows.push(["Adjusted", `${signedPoints(sum("adjustment"))} points`]);
  rows.push(["Cost", `${points(costOf(lines))} points`], ["Served", duration(session.media_ms)]);
  return `${rows.map(([name, value]) => `${name.padEnd(12)}${value}`).join("\n")}\n`;
}
