/** What is wrong with the platform, and where to look: from what the API says, without requests of its own. */
import type { Schemas } from "../../api/client";
import { count, millis } from "../../format/units";
import { plural, words } from "../../format/words";
import type { Health } from "../system/health";

export type Severity = Schemas["Severity"];
export type Stream = Schemas["StreamAnswer"] | Schemas["StreamSettingsAnswer"];
export type Issue = Schemas["IngestIssueAnswer"];

export interface Problem {
  key: string;
  severity: Severity;
  title: string;
  /** What it means, or what to do. */
  text: string;
  /** Where its cause is shown; null where the role has no such page. */
  href: string | null;
  link: string;
  sinceMs: number | null;
}

/** What is known so far. Undefined: not loaded, or not for this role. */
export interface Known {
  nowMs: number;
  overview?: Schemas["OverviewAnswer"] | undefined;
  metrics?: Schemas["MetricsAnswer"] | undefined;
  health?: Health | undefined;
  streams?: readonly Stream[] | undefined;
  /** Open issues by stream. */
  issues?: ReadonlyMap<string, readonly Issue[]> | undefined;
  operates: boolean;
  finances: boolean;
}

/** The same limits as the alarms of docs/operations.md. */
const QUEUE_MAX = 100;
const CANARY_SILENT_MS = 15 * 60_000;
const CANARY_GIVEN_UP_MS = 24 * 3_600_000;
const CUT_OFF_MS_MAX = 5_000;
const RANKS: Record<Severity, number> = { error: 0, warning: 1, info: 2 };

type Found = Omit<Problem, "sinceMs" | "href"> & { sinceMs?: number; href: string | null };
const system = (tab: string): string => `/admin/system?tab=${tab}`;

/** Return the problems, the most severe first, and of these the newest first. */
export function problemsOf(known: Known): Problem[] {
  const found = [...ofHealth(known), ...ofOverview(known), ...ofMetrics(known), ...ofStreams(known)];
  return found
    .map((each) => ({ sinceMs: null, ...each }))
    .sort((a, b) => RANKS[a.severity] - RANKS[b.severity] || (b.sinceMs ?? 0) - (a.sinceMs ?? 0));
}

function ofHealth({ health }: Known): Found[] {
  if (!health || health.status === "ok") return [];
  const failed = Object.entries(health.dependencies).filter(([, state]) => state === "failed").map(([name]) => words(name));
  return [{
    key: "health", severity: "error", title: `The API cannot use ${failed.join(", ") || "a dependency"}`,
    text: "Requests that need it fail. Check it and the permissions of the API.", href: system("health"), link: "Health",
  }];
}

function ofOverview({ overview, nowMs, operates }: Known): Found[] {
  if (!overview) return [];
  const found: Found[] = [];
  const { workers, capacity, streams_live: live, streams_running: running, work_queue_depth: depth, dead_letters: dead } = overview;
  const workersPage = operates ? system("workers") : null;
  if (!overview.is_current) {
    found.push({
      key: "old", severity: "error", title: overview.at_ms === null ? "No sample was taken yet" : "The figures are old",
      text: "A schedule takes a sample each minute. Until it runs, figures and charts do not change.", href: system("health"), link: "Health",
      ...(overview.at_ms !== null && { sinceMs: overview.at_ms }),
    });
  }
  if (workers === 0 && live !== null && live > 0) {
    found.push({ key: "workers", severity: "error", title: "No worker is running", text: `${plural(live, "stream")} should be live, and nothing publishes ${live === 1 ? "it" : "them"}. Start a worker.`, href: workersPage, link: "Workers" });
  } else if (workers && capacity !== null && running !== null && live !== null && running >= capacity) {
    const waits = live > running;
    found.push({
      key: "capacity", severity: waits ? "error" : "warning", title: `The workers are full: ${running} of ${plural(capacity, "stream")}`,
      text: `${waits ? `${plural(live - running, "stream")} may be waiting for a worker.` : "One more stream will wait."} Start another worker, or raise TOLLCAST_WORKER_CAPACITY if the processors have room.`,
      href: workersPage, link: "Workers",
    });
  }
  // Operators see which ones.
  const delivered = overview.streams_delivered;
  if (!operates && live !== null && delivered !== null && delivered < live) {
    found.push({ key: "delivered", severity: "warning", title: `${live - delivered} of ${plural(live, "live stream")} ${live - delivered === 1 ? "does" : "do"} not reach viewers`, text: "Nobody pays for what is not delivered. Ask an operator.", href: null, link: "" });
  }
  if (dead) found.push({ key: "dead", severity: "warning", title: `${plural(dead, "message")} could not be handled`, text: "The workers received them five times in vain. They are hints only, so no stream is lost.", href: system("queues"), link: "Queues" });
  if (depth !== null && depth > QUEUE_MAX) found.push({ key: "queue", severity: "warning", title: `${count(depth)} hints wait in the work queue`, text: "No worker receives them, or workers are not permitted to.", href: system("queues"), link: "Queues" });
  found.push(...ofCanary(overview, nowMs));
  const serverErrors = overview.figures["answers_5xx"];
  if (serverErrors) found.push({ key: "5xx", severity: "warning", title: `${plural(serverErrors, "answer")} failed in a minute (5xx)`, text: "The server failed to answer. The list of errors has the routes and a request of each.", href: system("errors"), link: "Errors" });
  return found;
}

function ofCanary({ canary_is_ok: isOk, canary_at_ms: atMs }: Schemas["OverviewAnswer"], nowMs: number): Found[] {
  if (isOk === null || atMs === null) return [];
  const age = nowMs - atMs;
  const at = { href: system("canary"), link: "Canary", sinceMs: atMs };
  if (!isOk) return [{ key: "canary", severity: "error", title: "The canary failed", text: "A synthetic viewer could not watch, pay or be stopped as it should. Viewers probably see the same.", ...at }];
  if (age > CANARY_SILENT_MS && age < CANARY_GIVEN_UP_MS) return [{ key: "canary", severity: "warning", title: "The canary is silent", text: "Its schedule has stopped, or it cannot reach the API.", ...at }];
  return [];
}

function ofMetrics({ metrics, finances }: Known): Found[] {
  if (!metrics) return [];
  const found: Found[] = [];
  const { reconciliation: { ledger_mismatches: mismatches, disagreeing, sessions }, audit_failures: audit, cut_offs: cutOffs } = metrics;
  const money = { href: finances ? "/admin/money?tab=reconciliation" : null, link: "Reconciliation" };
  if (mismatches) found.push({ key: "ledger", severity: "error", title: `The ledger of ${plural(mismatches, "session")} differs from the record`, text: "Yesterday and today (UTC). Change nothing by hand, and keep the rows for a report.", ...money });
  if (disagreeing > mismatches) found.push({ key: "drift", severity: "warning", title: `${disagreeing} of ${plural(sessions, "session")} disagree: served is not what was paid`, text: "Sessions that ended yesterday or today (UTC).", ...money });
  if (audit) found.push({ key: "audit", severity: "error", title: `${plural(audit, "act")} of operators ${audit === 1 ? "is" : "are"} missing in the audit log`, text: "The acts stand; the entries are in the functions' log. Check the table and the role.", href: system("errors"), link: "Errors" });
  const slow = cutOffs.filter((each) => each.p99_ms > CUT_OFF_MS_MAX);
  const slowest = Math.max(0, ...slow.map((each) => each.p99_ms));
  if (slow.length) found.push({ key: "cut-off", severity: "warning", title: `Sessions were served up to ${millis(slowest)} after their end`, text: `Yesterday or today (UTC): ${slow.map((each) => words(each.end_reason)).join(", ")}.`, href: system("gateway"), link: "Cut-offs" });
  return found;
}

function ofStreams({ streams, issues, operates }: Known): Found[] {
  if (!operates || !streams) return [];
  return streams.filter((each) => each.desired_state === "live").flatMap((stream): Found[] => {
    const to = { href: `/admin/streams/${encodeURIComponent(stream.stream_id)}`, link: "Stream" };
    const open = issues?.get(stream.stream_id) ?? [];
    const found: Found[] = open.map((issue) => ({
      key: `issue ${issue.issue_id}`, severity: issue.severity, title: `${stream.title}: ${words(issue.type)}`,
      text: `${issue.actual ? `Now ${issue.actual}${issue.expected ? `, expected ${issue.expected}` : ""}. ` : ""}${issue.advice}`, sinceMs: issue.since_ms, ...to,
    }));
    const isExplained = open.some((issue) => issue.severity === "error");
    if (DOWN[stream.state] && !isExplained) {
      found.push({ key: `stream ${stream.stream_id}`, severity: "error", title: `${stream.title}: ${DOWN[stream.state]}`, text: "Its viewers see nothing new, and pay nothing. Its page says what the encoder reports.", ...to });
    }
    return found;
  });
}

/** States in which a stream that should be live reaches no viewer. */
const DOWN: Partial<Record<Stream["state"], string>> = {
  stalled: "publishes nothing new",
  backoff: "its encoder has ended and is started again",
  stopped: "should be live and is stopped",
  failed: "its encoder has failed",
};
