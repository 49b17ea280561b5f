/** The totals by UTC day and month, which equal the ledger to the millipoint. */
import { read, type Schemas } from "../../api/client";
import { plainPoints, points, signedPoints } from "../../format/points";
import { count } from "../../format/units";
import { usePoll } from "../../live/poll";
import { useAddress } from "../../ui/address";
import { Button } from "../../ui/buttons";
import { CheckField, SelectField, TextField } from "../../ui/fields";
import { Badge, Empty, Figure, Freshness, Loading, Message, Panel } from "../../ui/parts";
import { Table, type Column } from "../../ui/table";
import { CsvButton } from "./csv_button";
import type { CsvColumn } from "./csv";
import { isDay } from "./days";
import { PeriodBars } from "./period_bars";
import { costTerms, faultsOf, hasMoney, ledgerTerms, type Period, type Sums, type Term } from "./sums";

type Answer = Schemas["TotalsAnswer"];
type Line = Period & { isTotal?: boolean };
const EVERY_MS = 10_000;

const COLUMNS: readonly Column<Line>[] = [
  { key: "period", name: "Period (UTC)", head: true, wide: true, cell: (row) => (row.isTotal ? <strong>The whole range</strong> : <span class="row">{row.period}{!row.is_over && <Badge>goes on</Badge>}</span>) },
  { key: "sessions", name: "Sessions", number: true, cell: (row) => count(row.sessions) },
  { key: "net", name: "Cost", number: true, cell: (row) => points(row.net_millipoints) },
  { key: "payments", name: "Payments", number: true, cell: (row) => count(row.payments) },
  { key: "credit", name: "Received", number: true, cell: (row) => points(row.credit_millipoints) },
  { key: "removal", name: "Taken", number: true, cell: (row) => points(row.removal_millipoints) },
  { key: "reversal", name: "Reversed", number: true, cell: (row) => points(row.reversal_millipoints) },
  { key: "paid", name: "Debts paid", number: true, cell: (row) => points(row.debt_payment_millipoints) },
  { key: "ledger", name: "Ledger", number: true, cell: (row) => <strong>{signedPoints(row.ledger_millipoints)}</strong> },
];

const SUMS = ["lease", "refund", "outage_credit", "adjustment", "served_ahead", "unserved_credit", "net", "credit", "removal", "reversal", "debt_payment", "ledger", "debt", "shortfall"] as const;
const CSV: readonly CsvColumn<Period>[] = [
  { name: "period_utc", value: (row) => row.period },
  { name: "is_over", value: (row) => row.is_over },
  { name: "sessions", value: (row) => row.sessions },
  { name: "payments", value: (row) => row.payments },
  { name: "reversals", value: (row) => row.reversals },
  ...SUMS.map((name) => ({ name: `${name}_points`, value: (row: Period) => plainPoints(row[`${name}_millipoints`]) })),
];

export function Totals() {
  const { query, set } = useAddress();
  const by = query["by"] === "month" ? ("month" as const) : ("day" as const);
  const [from, to] = [isDay(query["from"]) ? query["from"] : undefined, isDay(query["to"]) ? query["to"] : undefined];
  const withEmpty = query["empty"] === "1";
  const totals = usePoll(`totals:${by}:${from}:${to}`, (ifNoneMatch, signal) => read("/money/totals", { query: { by, from, to }, ifNoneMatch, signal } as Parameters<typeof read<"/money/totals">>[1]), EVERY_MS);
  const answer = totals.data.value;
  return (
    <>
      <div class="filters">
        <SelectField label="By" value={by} onChange={(value) => set({ by: value === "day" ? null : value, from: null, to: null })}
          options={[{ value: "day", label: "Day" }, { value: "month", label: "Month" }]} />
        <TextField label="From (UTC day)" type="date" value={from ?? answer?.from_day ?? ""} onChange={(value) => set({ from: value })} />
        <TextField label="To (UTC day)" type="date" value={to ?? answer?.to_day ?? ""} onChange={(value) => set({ to: value })} />
        {(from || to) && <Button look="quiet" onClick={() => set({ from: null, to: null })}>{by === "day" ? "The last 31 days" : "The last 12 months"}</Button>}
      </div>
      <Loading of={totals}>{(now) => <Found answer={now} />}</Loading>
      {answer && (
        <Panel title={by === "day" ? "By day" : "By month"} flush side={
          <>
            <Freshness of={totals} />
            <CheckField label="Also those without money" checked={withEmpty} onChange={(on) => set({ empty: on ? "1" : null })} />
            <CsvButton name={`totals-${by}-${answer.from_day}-${answer.to_day}`} columns={CSV} load={() => Promise.resolve({ items: answer.periods, next_cursor: null })} />
          </>
        }>
          <div class="table-scroll"><Periods answer={answer} withEmpty={withEmpty} /></div>
        </Panel>
      )}
    </>
  );
}

function Found({ answer }: { answer: Answer }) {
  const { total } = answer;
  return (
    <>
      <div class="figures money-figures">
        <Figure name="Cost of sessions" value={points(total.net_millipoints)} unit="points" hint={`${count(total.sessions)} sessions ended`} />
        <Figure name="Received" value={points(total.credit_millipoints)} unit="points" hint={`${count(total.payments)} payments`} />
        <Figure name="Reversed" value={points(total.reversal_millipoints)} unit="points" hint={`${count(total.reversals)} reversals; ${points(total.shortfall_millipoints)} no longer held`} />
        <Figure name="Ledger" value={signedPoints(total.ledger_millipoints)} unit="points" hint="What all wallets gained or lost" />
      </div>
      <Panel title="How it adds up" side={<AddsUp answer={answer} />}>
        <div class="stack tight">
          <Equation name="Ledger" terms={ledgerTerms(total)} sum={total.ledger_millipoints} />
          <Equation name="Cost of sessions" terms={costTerms(total)} sum={total.net_millipoints} />
          <p class="small soft">
            The ledger column is the sum of all lines of all ledgers, to the thousandth of a point. Sessions count on the day of their end, so
            what active sessions have paid so far is not in it yet. {points(total.debt_millipoints)} points became debts, and the wallets
            no longer held {points(total.shortfall_millipoints)} points of reversals: both are outside of the ledger. Synthetic viewers are left out.
          </p>
        </div>
      </Panel>
      <div class="columns">
        <Panel title="Cost of sessions"><PeriodBars periods={answer.periods} value={(each) => each.net_millipoints} name="Cost of sessions" /></Panel>
        <Panel title="Received"><PeriodBars periods={answer.periods} value={(each) => each.credit_millipoints} name="Received" /></Panel>
      </div>
    </>
  );
}

function AddsUp({ answer }: { answer: Answer }) {
  const faults = faultsOf(answer.periods, answer.total);
  return faults.length === 0 ? (
    <Badge tone="good" title="This page has added all periods again.">adds up to the thousandth</Badge>
  ) : (
    <Message tone="bad" title={`This does not add up: ${faults.join(", ")}. Report it.`} live />
  );
}

function Equation({ name, terms, sum }: { name: string; terms: Term[]; sum: number }) {
  return (
    <p class="money-equation">
      <strong>{name} {points(sum)}</strong>
      {terms.map((term, n) => (
        <span key={term.name}>
          {n === 0 ? "=" : term.sign < 0 ? "−" : "+"} {points(term.millipoints)} <span class="soft">{term.name}</span>
        </span>
      ))}
    </p>
  );
}

function Periods({ answer, withEmpty }: { answer: Answer; withEmpty: boolean }) {
  const shown: Line[] = answer.periods.filter((each) => withEmpty || hasMoney(each)).reverse();
  const total: Line = { ...(answer.total as Sums), period: "total", is_over: true, isTotal: true };
  return (
    <Table caption="Totals, newest first; the first line is the whole range" columns={COLUMNS} rows={shown.length ? [total, ...shown] : []} rowKey={(row) => row.period} empty={
      <Empty title="No money moved in this range.">
        <p>Sums appear when a session that cost something has ended, or a payment is made.</p>
      </Empty>
    } />
  );
}
