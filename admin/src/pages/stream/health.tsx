/** What is or was wrong with a stream: its issues, with what was measured, what is expected and what to do. */
import { get, read, type Schemas } from "../../api/client";
import { duration } from "../../format/units";
import { words } from "../../format/words";
import { usePoll } from "../../live/poll";
import { useAddress } from "../../ui/address";
import { PagedList } from "../../ui/list";
import { Ago, Badge, Empty, Freshness, Loading, Message, Panel, Time } from "../../ui/parts";
import { SEVERITY_TONES } from "../streams/stream_state";
import { closeText } from "./runtime";

type Issue = Schemas["IngestIssueAnswer"];

export function Health({ id, isLive }: { id: string; isLive: boolean }) {
  const { query, set } = useAddress();
  const polled = usePoll(`issues ${id}`, (_, signal) => read("/streams/{stream_id}/issues", { params: { stream_id: id }, query: { state: "open", limit: 200 }, signal }));
  return (
    <Panel title="Health" side={<Freshness of={polled} />}>
      <div class="stack">
        <Loading of={polled}>{({ items }) => (items.length ? <Issues items={items} /> : <AllWell isLive={isLive} />)}</Loading>
        <details open={query["issues"] === "closed" || undefined} onToggle={(event) => set({ issues: event.currentTarget.open ? "closed" : null })}>
          <summary>Closed issues of the last 30 days</summary>
          {query["issues"] === "closed" && (
            <PagedList of={id} load={(cursor) => get("/streams/{stream_id}/issues", { params: { stream_id: id }, query: { state: "closed", limit: 20, cursor } })}>
              {(items: Issue[]) => (items.length ? <Issues items={items} /> : <Empty title="No issue was closed in the last 30 days." />)}
            </PagedList>
          )}
        </details>
      </div>
    </Panel>
  );
}

function AllWell({ isLive }: { isLive: boolean }) {
  return isLive ? <Message tone="good">No issue is open.</Message> : <p class="soft">No issue is open. Issues are found while the stream should be live.</p>;
}

function Issues({ items }: { items: readonly Issue[] }) {
  return (
    <ul class="stream-issues">
      {items.map((issue) => (
        <li key={issue.issue_id}>
          <div class="row">
            <Badge tone={issue.closed_at_ms === null ? SEVERITY_TONES[issue.severity] : "plain"}>{issue.severity}</Badge>
            <strong>{words(issue.type)}</strong>
            <span class="small soft">
              {issue.closed_at_ms === null ? <>since <Ago at={issue.since_ms} suffix="" /></> : <><Time at={issue.since_ms} />, for {duration(issue.closed_at_ms - issue.since_ms)}: {closeText(issue.close_reason)}</>}
            </span>
          </div>
          <dl class="facts">
            <dt>Actual</dt><dd>{issue.actual}</dd>
            <dt>Expected</dt><dd>{issue.expected}</dd>
            <dt>What to do</dt><dd>{issue.advice}</dd>
          </dl>
        </li>
      ))}
    </ul>
  );
}
