/** The figures of the platform at a glance. */
import { get, type Schemas } from "../../api/client";
import { bitrate, count } from "../../format/units";
import { points } from "../../format/points";
import { plural } from "../../format/words";
import { usePoll, type Polled } from "../../live/poll";
import { useOverview } from "../../frame/overview_poll";
import { finances, operates } from "../../session/token";
import { Ago, Figure } from "../../ui/parts";
import { egressBps, perMinute } from "./charts_data";

const MONEY_MS = 30_000;

export function Figures({ metrics }: { metrics: Polled<Schemas["MetricsAnswer"]> }) {
  const overview = useOverview().data.value;
  const now = metrics.data.value;
  const figures = overview?.figures;
  const { streams_live: live, streams_delivered: delivered } = overview ?? {};
  const sampled = overview ? <SampledAt at={overview.at_ms} /> : undefined;
  return (
    <div class="figures overview-figures">
      <Figure name="Watching now" value={count(now?.watching_sessions)} hint={<a href="/admin/viewers">{now ? plural(now.active_sessions, "open session") : "open sessions"}</a>} />
      <Figure name="Points a minute" value={points(perMinute(figures?.["points_per_minute"]))} hint={sampled} />
      <Figure name="Egress" value={bitrate(egressBps(figures?.["egress_bytes"]))} hint={sampled} />
      <Figure
        name="Streams delivered" value={count(delivered)} unit={live === null || live === undefined ? "" : `of ${count(live)} live`}
        hint={operates() ? <a href="/admin/streams">Streams</a> : sampled}
      />
      {finances() && <MoneyToday />}
    </div>
  );
}

function SampledAt({ at }: { at: number | null }) {
  return at === null ? <>never sampled</> : <>sampled <Ago at={at} /></>;
}

/** What today's ended sessions cost, and what was paid in. Days are those of UTC, as in the ledger's totals. */
function MoneyToday() {
  const totals = usePoll("money today", (_, signal) => {
    const day = new Date().toISOString().slice(0, 10);
    return get("/money/totals", { query: { by: "day", from: day, to: day }, signal });
  }, MONEY_MS);
  const today = totals.data.value?.total;
  const hint = today ? <>{points(today.credit_millipoints)} paid in, {plural(today.sessions, "session")}</> : "Money";
  return <Figure name="Earned today (UTC)" value={points(today?.net_millipoints)} hint={<a href="/admin/money?tab=totals">{hint}</a>} />;
}
