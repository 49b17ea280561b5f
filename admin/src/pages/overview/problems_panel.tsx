/** What is wrong, the most severe first, each with the way to its cause. */
import { ChevronRight } from "lucide-preact";
import type { Schemas } from "../../api/client";
import { plural } from "../../format/words";
import { nowMs } from "../../live/clock";
import type { Polled } from "../../live/poll";
import { useOverview } from "../../frame/overview_poll";
import { finances, operates } from "../../session/token";
import { Ago, Badge, Freshness, Message, Panel, type Tone } from "../../ui/parts";
import type { Health } from "../system/health";
import { problemsOf, type Problem, type Severity } from "./problems";
import type { StreamProblems } from "./sources";

const TONES: Record<Severity, Tone> = { error: "bad", warning: "warn", info: "accent" };
const NAMES: Record<Severity, string> = { error: "Error", warning: "Warning", info: "Note" };

interface Props {
  metrics: Polled<Schemas["MetricsAnswer"]>;
  health: Polled<Health>;
  streams: Polled<StreamProblems>;
}

export function ProblemsPanel({ metrics, health, streams }: Props) {
  const overview = useOverview();
  const polls: Polled<unknown>[] = operates() ? [overview, metrics, health, streams] : [overview, metrics, health];
  const found = streams.data.value;
  const problems = problemsOf({
    nowMs: nowMs.value,
    overview: overview.data.value,
    metrics: metrics.data.value,
    health: health.data.value,
    streams: found?.streams,
    issues: found?.issues,
    operates: operates(),
    finances: finances(),
  });
  const failed = polls.filter((each) => each.error.value !== null);
  const isComplete = polls.every((each) => each.data.value !== undefined) && failed.length === 0;
  const live = found?.streams.filter((each) => each.desired_state === "live") ?? [];
  const unread = operates() ? live.filter((each) => !found?.issues.has(each.stream_id)).length : 0;
  // The one that is the most behind says how old the list is.
  const oldest = failed[0] ?? polls.reduce((a, b) => ((b.atMs.value ?? 0) < (a.atMs.value ?? 0) ? b : a));
  return (
    <Panel title={<>Problems {problems.length > 0 && <Badge tone={TONES[problems[0]?.severity ?? "info"]} icon={false}>{problems.length}</Badge>}</>} side={<Freshness of={oldest} />} flush>
      {problems.length > 0 && (
        <ul class="overview-problems">
          {problems.map((each) => <Line key={each.key} of={each} />)}
        </ul>
      )}
      {problems.length === 0 && (
        <div class="overview-quiet">
          {isComplete ? (
            <Message tone="good" title="No problem was found.">{quietText(live.length, unread)}</Message>
          ) : failed.length > 0 ? (
            <Message tone="warn" title="Not everything could be looked at.">{failed[0]?.error.value?.message}</Message>
          ) : (
            <div class="empty" role="status">Looking …</div>
          )}
        </div>
      )}
      {problems.length > 0 && (unread > 0 || found?.more) && <p class="overview-note small soft">{unreadText(unread, found?.more ?? false)}</p>}
    </Panel>
  );
}

const LOOKED_AT = "Looked at: dependencies, workers, queues, canary, failed answers and reconciliation.";

function quietText(live: number, unread: number): string {
  if (!operates()) return `${LOOKED_AT} Which stream has a problem is shown to operators.`;
  if (unread) return unreadText(unread, false);
  return `${live ? `${plural(live, "live stream")} without an open issue. ` : "No stream is live. "}${LOOKED_AT}`;
}

function unreadText(unread: number, more: boolean): string {
  const waiting = unread ? `The issues of ${plural(unread, "more live stream")} are read within a minute or two. ` : "";
  return waiting + (more ? "Only the first 1,000 streams are looked at." : "");
}

function Line({ of }: { of: Problem }) {
  const inside = (
    <>
      <Badge tone={TONES[of.severity]}>{NAMES[of.severity]}</Badge>
      <span class="overview-problem-text">
        <strong>{of.title}</strong>
        <span class="small soft">{of.text}</span>
      </span>
      <span class="small soft overview-problem-side">
        {of.sinceMs !== null && <Ago at={of.sinceMs} />}
        {of.href && <span>{of.link} <ChevronRight class="icon" aria-hidden="true" /></span>}
      </span>
    </>
  );
  return <li>{of.href ? <a class="overview-problem" href={of.href}>{inside}</a> : <div class="overview-problem">{inside}</div>}</li>;
}
