/** The page of one session: what happened, what was served and paid, the receipt, and adjustments. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { useRoute } from "preact-iso";
import { get, read } from "../../api/client";
import { agentWords } from "../../format/agents";
import { points } from "../../format/points";
import { duration } from "../../format/units";
import { words } from "../../format/words";
import { PAGE_MAX, readPages } from "../../live/pages";
import { usePoll } from "../../live/poll";
import { finances, operates } from "../../session/token";
import { Button } from "../../ui/buttons";
import { Badge, Facts, Figure, Freshness, Loading, PageHead, Panel, Time, Unknown, isCutOff } from "../../ui/parts";
import { CutOff } from "../viewers/left";
import { Since } from "../viewers/live_parts";
import { Adjust, newPaymentId } from "./adjust";
import { LedgerLines } from "./ledger_lines";
import type { Detail } from "./ledger_words";
import { Receipt } from "./receipt";
import { Served } from "./served";
import { Timeline } from "./timeline_list";
import "./sessions.css";

const LINES_MAX = 5_000;
const LINES_MS = 10_000;

export function Session() {
  const { params } = useRoute();
  return <One key={params["id"]} id={params["id"] ?? ""} />;
}

function One({ id }: { id: string }) {
  const session = usePoll(`session ${id}`, (etag, signal) => read("/sessions/{session_id}", { params: { session_id: id }, ifNoneMatch: etag, signal }));
  const lines = usePoll(`lines ${id}`, (_etag, signal) =>
    readPages((cursor) => get("/sessions/{session_id}/ledger", { params: { session_id: id }, query: { limit: PAGE_MAX, cursor }, signal }), LINES_MAX), LINES_MS);
  const isAdjusting = useSignal(false);
  // Kept until an adjustment has worked, so that another try after a lost answer does not pay twice.
  const paymentId = useSignal(newPaymentId());
  const data = session.data.value;
  return (
    <>
      <PageHead title="Session">
        <Freshness of={session} />
        {data && finances() && !data.active && <Button disabled={isCutOff()} onClick={() => (isAdjusting.value = true)}>Adjust</Button>}
      </PageHead>
      <Loading of={session}>
        {(found) => (
          <>
            <Overview session={found} />
            <div class="columns">
              <Panel title="Timeline">
                <Loading of={lines}>{({ items }) => <Timeline session={found} lines={items} />}</Loading>
              </Panel>
              <div class="stack sessions-side">
                <Served session={found} />
                <Panel title="Details"><Details session={found} /></Panel>
              </div>
            </div>
            <Loading of={lines}>
              {({ items, more }) => (
                <>
                  <Receipt session={found} lines={items} more={more} />
                  <Panel title="Lines of the ledger" flush side={<Freshness of={lines} />}><LedgerLines lines={items} more={more} /></Panel>
                </>
              )}
            </Loading>
            {isAdjusting.value && (
              <Adjust
                session={found}
                paymentId={paymentId.value}
                onClose={() => (isAdjusting.value = false)}
                onDone={() => {
                  paymentId.value = newPaymentId();
                  void session.reload();
                  void lines.reload();
                }}
              />
            )}
          </>
        )}
      </Loading>
    </>
  );
}

function Overview({ session }: { session: Detail }) {
  return (
    <div class="figures">
      <Figure
        name="State"
        value={session.active ? "active" : "ended"}
        hint={session.active ? (session.is_fetching === false ? <Badge tone="warn">not fetching</Badge> : <>for <Since at={session.started_at_ms} /></>) : words(session.end_reason)}
      />
      <Figure name={session.active ? "Spent so far" : "Cost"} value={points(session.charged_millipoints)} unit="points" hint={session.adjusted_millipoints ? `${points(session.adjusted_millipoints)} of it given back by adjustments` : undefined} />
      <Figure name="Watched" value={duration(session.active ? null : session.watched_ms)} hint={session.active ? "known at the end" : undefined} />
      <Figure name="Served" value={duration(session.media_ms)} hint="of media" />
    </div>
  );
}

function Details({ session }: { session: Detail }) {
  const agent = session.user_agent;
  const facts = useMemo<Parameters<typeof Facts>[0]["of"]>(
    () => [
      ["User", <a href={`/admin/users/${encodeURIComponent(session.user_id)}`}>{session.email ?? session.user_id}</a>],
      ["Stream", operates() ? <a href={`/admin/streams/${encodeURIComponent(session.stream_id)}`}>{session.stream_title ?? session.stream_id}</a> : (session.stream_title ?? session.stream_id)],
      ["Session id", <span class="mono">{session.session_id}</span>],
      ["Kind", session.kind === "preview" ? "an operator's free preview" : session.is_canary ? "synthetic viewer, left out of business figures" : "viewing"],
      ["Started", <Time at={session.started_at_ms} />],
      ["Ended", session.active ? "it is active" : <Time at={session.ended_at_ms} />],
      ["Message", session.message ?? <Unknown why="none" />],
      ["Still served", <CutOff of={session} />],
      ["From", session.ip ?? <Unknown why="the address is not kept any more" />],
      ["Device", agent === null ? <Unknown why="not kept any more" /> : <>{agentWords(agent)}<div class="mono soft">{agent}</div></>],
      ["Rate", `${points(session.rate_millipoints_per_minute)} points a minute`],
      ["Granted", session.granted_ms === null ? <Unknown why="known at the end" /> : duration(session.granted_ms)],
    ],
    [session],
  );
  return <Facts of={facts} />;
}
