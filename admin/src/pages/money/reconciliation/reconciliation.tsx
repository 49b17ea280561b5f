/** The reconciliation by UTC day: what was served against what was paid. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { ChevronLeft, ChevronRight } from "lucide-preact";
import { get } from "../../../api/client";
import { plainPoints, points } from "../../../format/points";
import { bytes, count, duration } from "../../../format/units";
import { words } from "../../../format/words";
import { usePoll } from "../../../live/poll";
import { useAddress } from "../../../ui/address";
import { Button } from "../../../ui/buttons";
import { SelectField, TextField } from "../../../ui/fields";
import { PagedList } from "../../../ui/list";
import { Badge, Empty, Facts, Figure, Freshness, isCutOff, Loading, Message, Panel, Time } from "../../../ui/parts";
import { Table, type Column } from "../../../ui/table";
import { Adjust } from "./adjust";
import { CsvButton } from "../csv_button";
import { csvTime, type CsvColumn } from "../csv";
import { dayAfter, isDay, utcDay } from "../days";
import { driftText, openCases, resultOf, type DayTotals, type Row } from "./findings";
import { LastDays } from "./last_days";

const EVERY_MS = 10_000;

const CSV: readonly CsvColumn<Row>[] = [
  { name: "session_id", value: (row) => row.session_id },
  { name: "user_id", value: (row) => row.user_id },
  { name: "stream_id", value: (row) => row.stream_id },
  { name: "ended_at_utc", value: (row) => csvTime(row.ended_at_ms) },
  { name: "result", value: (row) => row.reason },
  { name: "agrees", value: (row) => row.agrees },
  { name: "net_points", value: (row) => plainPoints(row.net_millipoints) },
  { name: "debt_points", value: (row) => plainPoints(row.debt_millipoints) },
  { name: "adjustment_points", value: (row) => plainPoints(row.adjustment_millipoints) },
  { name: "paid_ms", value: (row) => row.paid_ms },
  { name: "served_ms", value: (row) => row.media_ms },
  { name: "drift_ms", value: (row) => row.drift_ms },
  { name: "drift_points", value: (row) => (row.drift_millipoints === null ? null : plainPoints(row.drift_millipoints)) },
  { name: "end_reason", value: (row) => row.end_reason },
  { name: "cut_off_ms", value: (row) => row.cut_off_ms },
];

export function Reconciliation() {
  const { query, set } = useAddress();
  const today = utcDay(Date.now());
  const day = isDay(query["day"]) ? query["day"] : today;
  const show = query["show"] === "open" || query["show"] === "agree" ? query["show"] : "";
  const disagreeing = show === "open" ? true : show === "agree" ? false : undefined;
  const adjusting = useSignal<Row | null>(null);
  const again = useSignal(0);
  const go = (to: string): void => set({ day: to === today ? null : to }, { replace: false });
  const totals = usePoll(`day:${day}`, (_, signal) => get("/reconciliation/{day}", { params: { day }, signal }), EVERY_MS);
  const load = (cursor: string | undefined, limit = 50) => get("/reconciliation", { query: { day, disagreeing, cursor, limit } });
  const columns = useMemo((): readonly Column<Row>[] => [
    { key: "session", name: "Session", head: true, wide: true, cell: (row) => <a class="mono" title={row.session_id} href={`/admin/sessions/${row.session_id}`}>{shortId(row.session_id)}</a> },
    { key: "result", name: "Result", wide: true, cell: (row) => <Outcome row={row} /> },
    { key: "user", name: "User and stream", cell: (row) => <><a class="mono" title={row.user_id} href={`/admin/users/${row.user_id}`}>{shortId(row.user_id)}</a><br />{row.stream_id}</> },
    { key: "net", name: "Cost", number: true, cell: (row) => points(row.net_millipoints) },
    { key: "paid", name: "Paid", number: true, cell: (row) => duration(row.paid_ms) },
    { key: "served", name: "Served", number: true, cell: (row) => duration(row.media_ms) },
    { key: "drift", name: "Difference", cell: (row) => <div class="money-drift">{driftText(row.drift_ms, row.drift_millipoints)}</div> },
    { key: "ended", name: "Ended", cell: (row) => <><span class="money-time"><Time at={row.ended_at_ms} /></span><br /><span class="small soft">{words(row.end_reason)}</span></> },
    { key: "act", name: "", number: true, cell: (row) => <AdjustButton onClick={() => (adjusting.value = row)} /> },
  ], []);
  return (
    <>
      <LastDays until={today} chosen={day} onChoose={go} />
      <div class="filters">
        <TextField label="Day (UTC)" type="date" max={today} value={day} onChange={(value) => isDay(value) && go(value)} />
        <div class="row">
          <Button title="The day before" onClick={() => go(dayAfter(day, -1))}><ChevronLeft class="icon" aria-hidden="true" /></Button>
          <Button title="The day after" disabled={day >= today} onClick={() => go(dayAfter(day, 1))}><ChevronRight class="icon" aria-hidden="true" /></Button>
        </div>
        <SelectField label="Sessions" value={show} onChange={(value) => set({ show: value })} options={[
          { value: "", label: "All" }, { value: "open", label: "Open cases and not measured" }, { value: "agree", label: "Those that agree" },
        ]} />
      </div>
      <Loading of={totals}>{(now) => <Day of={now} />}</Loading>
      <Panel title={`Sessions that ended on ${day} (UTC)`} flush side={
        <>
          <Freshness of={totals} />
          <Button slim look="quiet" onClick={() => (again.value += 1)}>Read again</Button>
          <CsvButton name={`reconciliation-${day}`} columns={CSV} load={(cursor) => load(cursor, 200)} />
        </>
      }>
        <PagedList of={`${day}|${show}|${again.value}`} load={load}>
          {(items) => (
            <Table caption={`Reconciled sessions of ${day}`} columns={columns} rows={items} rowKey={(row) => row.session_id} empty={
              show === "open" ? (
                <Empty title="There is no open case on this day." />
              ) : (
                <Empty title="No session of this day is reconciled."><p>Sessions are reconciled some minutes after their end.</p></Empty>
              )
            } />
          )}
        </PagedList>
      </Panel>
      {adjusting.value && <Adjust row={adjusting.value} onClose={() => (adjusting.value = null)} onAdjusted={() => (again.value += 1)} />}
    </>
  );
}

/** Return the beginning of an id; the link and the tooltip have all of it. */
function shortId(id: string): string {
  return `${id.slice(0, 10)}…`;
}

function AdjustButton({ onClick }: { onClick: () => void }) {
  return <Button slim disabled={isCutOff()} onClick={onClick}>Adjust</Button>;
}

function Outcome({ row }: { row: Row }) {
  const { tone, word, text } = resultOf(row);
  return (
    <div class="money-result">
      <Badge tone={tone}>{word}</Badge>
      <div class="small soft">{text}</div>
    </div>
  );
}

function Day({ of }: { of: DayTotals }) {
  const open = openCases(of);
  return (
    <>
      {of.ledger_mismatches > 0 && (
        <Message tone="bad" title={`In ${count(of.ledger_mismatches)} of the sessions the ledger differs from the session's record.`}>
          Change nothing by hand, and report it.
        </Message>
      )}
      {!of.all_added_up && <Message tone="warn" title="The day has more sessions than are summed." />}
      <div class="figures">
        <Figure name="Sessions" value={count(of.sessions)} hint={of.day_over ? "The day is over." : "The day goes on: sums grow."} />
        <Figure name="Agree" value={count(of.sessions - of.disagreeing)} hint="Also those that credits explain" />
        <Figure name="Open cases" value={count(open)} hint={open ? "They need a decision." : "Nothing to decide"} />
        <Figure name="Not measured" value={count(of.not_measured)} hint="Looked at again for a day" />
        <Figure name="Cost" value={points(of.net_millipoints)} unit="points" hint={`${points(of.adjustment_millipoints)} given back by adjustments`} />
      </div>
      <Panel title="Sums of the day">
        <div class="columns">
          <Facts of={[
            ["Leases", points(of.lease_millipoints)],
            ["Given back", points(of.refund_millipoints)],
            ["Outages", points(of.outage_credit_millipoints)],
            ["Fetched ahead", points(of.served_ahead_millipoints)],
            ["Not served", points(of.unserved_credit_millipoints)],
            ["Adjustments", points(of.adjustment_millipoints)],
          ]} />
          <Facts of={[
            ["Paid time", duration(of.paid_ms)],
            ["Served", `${duration(of.media_ms)}, ${bytes(of.media_bytes)}`],
            ["By gateways", `${duration(of.gateway_media_ms)}, ${bytes(of.gateway_media_bytes)}, to all sessions on this day`],
            ["Difference", `${driftText(of.drift_ms, of.drift_millipoints)}; sessions may cancel each other`],
            ["Became debt", points(of.debt_millipoints)],
          ]} />
        </div>
      </Panel>
    </>
  );
}
