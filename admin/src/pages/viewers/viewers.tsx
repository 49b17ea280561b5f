/** The page Live viewers: who watches now, from where and for what, and stopping them. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { points } from "../../format/points";
import { bitrate, count } from "../../format/units";
import { plural } from "../../format/words";
import { usePoll } from "../../live/poll";
import { operates } from "../../session/token";
import { useAddress } from "../../ui/address";
import { Button } from "../../ui/buttons";
import { Empty, Figure, Freshness, isCutOff, Loading, Message, PageHead, Panel } from "../../ui/parts";
import { Blocks } from "./blocks";
import { Filters, useView } from "./filters";
import { InView } from "./in_view";
import { LeftPanel } from "./left";
import { Cards, Lines, type Acts } from "./live_list";
import { counts, filtered, sorted, type LiveRow } from "./live_rows";
import { liveReader, LIVE_MAX, type Live } from "./load_live";
import { StopResults } from "./results";
import { StopDialog } from "./stop_dialog";
import type { Stopped } from "./stop_many";
import "./viewers.css";

export function Viewers() {
  const reader = useMemo(liveReader, []);
  const polled = usePoll<Live>("viewers", (_etag, signal) => reader(signal));
  const stopping = useSignal<readonly LiveRow[]>([]);
  const results = useSignal<Stopped[]>([]);
  const stops = useSignal(0);
  const mayStop = operates();
  return (
    <>
      <PageHead title="Live viewers">
        <Freshness of={polled} />
      </PageHead>
      {results.value.length > 0 && <StopResults of={results.value} onClose={() => (results.value = [])} />}
      <Loading of={polled}>{(live) => <Watching live={live} onStop={mayStop ? (rows) => (stopping.value = rows) : null} />}</Loading>
      {mayStop && <Blocks changed={stops.value} />}
      {stopping.value.length > 0 && (
        <StopDialog
          rows={stopping.value}
          onClose={() => {
            stopping.value = [];
            stops.value += 1;
            void polled.reload();
          }}
          onResults={(found) => (results.value = found)}
        />
      )}
    </>
  );
}

function Watching({ live, onStop }: { live: Live; onStop: ((rows: readonly LiveRow[]) => void) | null }) {
  const selected = useSignal<ReadonlySet<string>>(new Set());
  const { set } = useAddress();
  const view = useView(live.rows.length);
  const shown = useMemo(
    () => sorted(filtered(live.rows, view), view.sort, view.down),
    [live.rows, view.q, view.streamId, view.onlyWatching, view.sort, view.down],
  );
  const mayStop = onStop !== null;
  // The same object for each drawing, so that rows are not drawn again.
  const acts = useMemo<Acts>(() => ({ selected, stop: mayStop ? (row) => onStop([row]) : null }), [mayStop]);
  const onSort = (key: string, down: boolean): void => set({ sort: key === "since" ? null : key, order: down ? null : "up" });
  return (
    <>
      <Totals rows={live.rows} />
      {live.more && <Message tone="warn" title={`More than ${LIVE_MAX.toLocaleString("en-US")} sessions are active.`}>The newest {count(live.rows.length)} are shown, and the figures are theirs.</Message>}
      <Panel title={shown.length === live.rows.length ? plural(shown.length, "session") : `${count(shown.length)} of ${plural(live.rows.length, "session")}`}>
        <div class="stack">
          <Filters view={view} rows={live.rows} />
          {onStop && shown.length > 0 && <Selection acts={acts} shown={shown} onStop={onStop} />}
          {shown.length === 0 ? (
            <NobodyShown any={live.rows.length > 0} />
          ) : (
            <InView rows={shown}>
              {(rows) => (view.asCards ? <Cards rows={rows} acts={acts} /> : <Lines rows={rows} acts={acts} sort={{ key: view.sort, down: view.down }} onSort={onSort} />)}
            </InView>
          )}
        </div>
      </Panel>
      <LeftPanel sessions={live.left} more={live.moreLeft} />
    </>
  );
}

function Totals({ rows }: { rows: readonly LiveRow[] }) {
  const { watching, notFetching, unknown } = counts(rows);
  const rate = rows.reduce((sum, row) => sum + (row.isFetching === false ? 0 : row.rate), 0);
  const rates = rows.flatMap((row) => (row.bitrateBps === null ? [] : [row.bitrateBps]));
  return (
    <div class="figures">
      <Figure name="Watching" value={count(watching)} hint={unknown ? `${count(unknown)} more not known yet` : "fetch media now"} />
      <Figure name="Not fetching" value={count(notFetching)} hint="hold a session, do not watch" />
      <Figure name="Points a minute" value={points(rate)} hint="of those who are not idle" />
      <Figure name="Sent" value={bitrate(rates.length || !rows.length ? rates.reduce((sum, each) => sum + each, 0) : null)} hint="all viewers together" />
    </div>
  );
}

/** Selection of what is shown. Sessions that are no longer shown are not stopped. */
function Selection({ acts, shown, onStop }: { acts: Acts; shown: readonly LiveRow[]; onStop: (rows: readonly LiveRow[]) => void }) {
  const chosen = shown.filter((row) => acts.selected.value.has(row.id));
  const all = chosen.length === shown.length;
  return (
    <div class="row viewers-selection">
      <label class="check">
        <input type="checkbox" checked={all} onChange={() => (acts.selected.value = all ? new Set() : new Set(shown.map((row) => row.id)))} />
        <span>Select all {count(shown.length)} shown</span>
      </label>
      {chosen.length > 0 && (
        <>
          <span class="soft">{count(chosen.length)} selected</span>
          <Button look="danger" slim disabled={isCutOff()} onClick={() => onStop(chosen)}>Stop {plural(chosen.length, "session")}</Button>
          <Button slim look="quiet" onClick={() => (acts.selected.value = new Set())}>Clear</Button>
        </>
      )}
    </div>
  );
}

function NobodyShown({ any }: { any: boolean }) {
  const { set } = useAddress();
  if (!any) return <Empty title="Nobody watches now.">Sessions appear here when a viewer starts a stream. <a href="/admin/sessions">See who has watched</a>.</Empty>;
  return (
    <Empty title="No session matches the filter.">
      <Button onClick={() => set({ q: null, stream_id: null, watching: null })}>Show all</Button>
    </Empty>
  );
}
