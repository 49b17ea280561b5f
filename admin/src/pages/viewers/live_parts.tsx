/** Parts of a live row: each draws again only when its own text changes. */
import { useComputed } from "@preact/signals";
import { agentWords } from "../../format/agents";
import { duration, localTime, utc } from "../../format/units";
import { nowMs } from "../../live/clock";
import { Badge, Unknown } from "../../ui/parts";
import type { LiveRow } from "./live_rows";

/** How long ago a time was. Only the text changes, each second. */
export function Since({ at }: { at: number }) {
  const text = useComputed(() => duration(nowMs.value - at));
  return (
    <time dateTime={new Date(at).toISOString()} title={`since ${localTime(at)} (${utc(at)})`}>
      {text}
    </time>
  );
}

/** How long the points last. */
export function Left({ row }: { row: LiveRow }) {
  return row.lastsUntilMs === null ? <Unknown why={row.rate === 0 ? "free: no limit" : "unknown"} /> : <Countdown until={row.lastsUntilMs} />;
}

function Countdown({ until }: { until: number }) {
  const text = useComputed(() => duration(until - nowMs.value));
  return <span>{text}</span>;
}

/** What a row is beside an ordinary viewer. */
export function Marks({ row }: { row: LiveRow }) {
  return (
    <>
      {row.isFetching === false && (
        <Badge tone="warn" title={row.lastFetchAtMs === null ? "It has fetched no media." : `It last fetched media at ${localTime(row.lastFetchAtMs)}.`}>
          not fetching
        </Badge>
      )}
      {row.isFetching === null && <Badge title="The gateways' logs have not been read far enough.">fetching not known</Badge>}
      {row.isPreview && <Badge tone="accent" icon={false} title="An operator's free preview">preview</Badge>}
      {row.isCanary && <Badge tone="accent" icon={false} title="A synthetic viewer, whom business figures leave out">synthetic</Badge>}
    </>
  );
}

/** The device in words. The whole agent opens on demand. */
export function Device({ agent }: { agent: string | null }) {
  if (agent === null) return <Unknown />;
  return (
    <details class="viewers-agent">
      <summary>{agentWords(agent)}</summary>
      <span class="mono break">{agent || "The player sent no agent."}</span>
    </details>
  );
}
