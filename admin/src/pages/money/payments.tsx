/** The payments: found by user, source, id and time, and taken back. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { ApiError, get, type Schemas } from "../../api/client";
import { plainPoints, points, signedPoints } from "../../format/points";
import { useAddress } from "../../ui/address";
import { Button } from "../../ui/buttons";
import { SearchField, TextField } from "../../ui/fields";
import { PagedList } from "../../ui/list";
import { Badge, Empty, isCutOff, Panel, Time } from "../../ui/parts";
import { Table, type Column } from "../../ui/table";
import { useDelayed } from "../users/delayed";
import { CsvButton } from "./csv_button";
import { csvTime, type CsvColumn } from "./csv";
import { localDayStart } from "./days";
import { filterFaults } from "./payment_filters";
import { Reverse } from "./reverse";

export type Payment = Schemas["PaymentAnswer"];

const CSV: readonly CsvColumn<Payment>[] = [
  { name: "payment_id", value: (row) => row.payment_id },
  { name: "at_utc", value: (row) => csvTime(row.at_ms) },
  { name: "points", value: (row) => plainPoints(row.millipoints) },
  { name: "user_id", value: (row) => row.user_id },
  { name: "source", value: (row) => row.source },
  { name: "note", value: (row) => row.note },
  { name: "by_user_id", value: (row) => row.by_user_id },
  { name: "session_id", value: (row) => row.session_id },
  { name: "reversed_at_utc", value: (row) => csvTime(row.reversed_at_ms) },
  { name: "reversed_points", value: (row) => (row.reversed_millipoints === null ? null : plainPoints(row.reversed_millipoints)) },
  { name: "shortfall_points", value: (row) => (row.shortfall_millipoints === null ? null : plainPoints(row.shortfall_millipoints)) },
  { name: "reversal_note", value: (row) => row.reversal_note },
];

export function Payments() {
  const { query, set } = useAddress();
  const [q, who, source] = [query["q"] ?? "", query["user"] ?? "", query["source"] ?? ""];
  const [qText, typeQ] = useDelayed(q, (text) => set({ q: text }));
  const [userText, typeUser] = useDelayed(who, (text) => set({ user: text }));
  const [sourceText, typeSource] = useDelayed(source, (text) => set({ source: text }));
  const [from, to] = [query["from"], query["to"]];
  const reversing = useSignal<Payment | null>(null);
  const again = useSignal(0);
  const faults = filterFaults({ q: qText.trim(), user: userText.trim(), source: sourceText.trim() });
  const ready = filterFaults({ q, user: who, source });
  const isFiltered = Boolean(q || who || source || from || to);
  const clear = (): void => {
    for (const type of [typeQ, typeUser, typeSource]) type("");
    set({ q: null, user: null, source: null, from: null, to: null });
  };
  const load = async (cursor: string | undefined, limit = 50) => {
    const nothing = { items: [] as Payment[], next_cursor: null };
    if (ready.q || ready.user || ready.source) return nothing;
    const userId = await userIdOf(who);
    if (userId === null) return nothing;
    return get("/payments", { query: { q: q || undefined, user_id: userId, source: source || undefined, from_ms: localDayStart(from), to_ms: localDayStart(to, 1), cursor, limit } });
  };
  const columns = useMemo((): readonly Column<Payment>[] => [
    { key: "id", name: "Payment", head: true, wide: true, cell: (row) => <span class="mono break">{row.payment_id}</span> },
    { key: "at", name: "Made", cell: (row) => <Time at={row.at_ms} /> },
    { key: "points", name: "Points", number: true, cell: (row) => <strong>{signedPoints(row.millipoints)}</strong> },
    { key: "user", name: "User", cell: (row) => <a class="mono break" href={`/admin/users/${row.user_id}`}>{row.user_id}</a> },
    { key: "source", name: "Source", cell: (row) => <Source of={row} /> },
    { key: "note", name: "Note", wide: true, cell: (row) => <span class="break">{row.note || <span class="soft">none</span>}</span> },
    { key: "reversal", name: "Taken back", cell: (row) => <Reversal of={row} onReverse={() => (reversing.value = row)} /> },
  ], []);
  return (
    <>
      <div class="filters" role="search">
        <SearchField label="Payment id" placeholder="How it begins" value={qText} onChange={typeQ} fault={faults.q} />
        <TextField label="User" placeholder="Email or user id" autocomplete="off" spellcheck={false} value={userText} onChange={typeUser} fault={faults.user} />
        <TextField label="Source" placeholder="operator" autocomplete="off" value={sourceText} onChange={typeSource} fault={faults.source} />
        <TextField label="From" type="date" value={from ?? ""} onChange={(value) => set({ from: value })} />
        <TextField label="To" type="date" value={to ?? ""} onChange={(value) => set({ to: value })} />
        {isFiltered && <Button look="quiet" onClick={clear}>Clear the filters</Button>}
      </div>
      <Panel title="Payments, newest first" flush side={
        <>
          <Button slim look="quiet" onClick={() => (again.value += 1)}>Read again</Button>
          <CsvButton name="payments" columns={CSV} load={(cursor) => load(cursor, 200)} />
        </>
      }>
        <PagedList of={[q, who, source, from, to, again.value].join("|")} load={load}>
          {(items) => (
            <Table caption="Payments" columns={columns} rows={items} rowKey={(row) => row.payment_id} empty={
              isFiltered ? (
                <Empty title="No payment matches."><p>An id is found by how it begins, a source by its whole name. Days are local days.</p></Empty>
              ) : (
                <Empty title="There are no payments yet."><p>Open a user and choose Credit, or connect a payment service with a service key.</p></Empty>
              )
            } />
          )}
        </PagedList>
      </Panel>
      {reversing.value && <Reverse payment={reversing.value} onClose={() => (reversing.value = null)} onReversed={() => (again.value += 1)} />}
    </>
  );
}

/** Return the user id of a filter: undefined for none, null if there is no such account. */
async function userIdOf(who: string): Promise<string | undefined | null> {
  if (!who) return undefined;
  if (!who.includes("@")) return who;
  try {
    return (await get("/users/lookup", { query: { email: who } })).user_id;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

function Source({ of }: { of: Payment }) {
  return (
    <span class="row">
      {of.source}
      {of.session_id && <a class="small" href={`/admin/sessions/${of.session_id}`}>adjusts a session</a>}
    </span>
  );
}

function Reversal({ of, onReverse }: { of: Payment; onReverse: () => void }) {
  if (of.reversed_at_ms !== null) {
    return (
      <span class="money-reversal">
        <Badge tone="warn">{points(of.reversed_millipoints)} taken back</Badge>{" "}
        <span class="small soft">
          <Time at={of.reversed_at_ms} />
          {of.shortfall_millipoints ? `; ${points(of.shortfall_millipoints)} no longer held` : ""}
          {of.reversal_note && `: ${of.reversal_note}`}
        </span>
      </span>
    );
  }
  // An adjustment and a removal are undone by their opposite.
  if (of.session_id !== null || of.millipoints <= 0) return <span class="soft">no</span>;
  return <Button slim look="danger" disabled={isCutOff()} onClick={onReverse}>Take back</Button>;
}
