/** A user's ledger: each change of the wallet, newest first. */
import { useSignal } from "@preact/signals";
import { memo } from "preact/compat";
import { useEffect, useRef } from "preact/hooks";
import { get, type Schemas } from "../../api/client";
import { plainPoints, signedPoints } from "../../format/points";
import { words } from "../../format/words";
import { PagedList } from "../../ui/list";
import { Empty, Panel, Time } from "../../ui/parts";
import { Table, type Column } from "../../ui/table";
import { CsvButton } from "../money/csv_button";
import { csvTime, type CsvColumn } from "../money/csv";

type Entry = Schemas["LedgerItem"];

/** The API's page, and one block of the drawing: blocks that are out of view have no rows. */
const BLOCK = 200;
const NEAR_PX = 1000;

const COLUMNS: readonly Column<Entry>[] = [
  { key: "version", name: "No.", number: true, cell: (row) => row.version },
  { key: "at", name: "Time", cell: (row) => <Time at={row.at_ms} /> },
  { key: "kind", name: "Kind", head: true, cell: (row) => words(row.kind) },
  { key: "delta", name: "Points", number: true, cell: (row) => <span class="points">{signedPoints(row.delta_millipoints)}</span> },
  { key: "for", name: "For", wide: true, cell: (row) => <For entry={row} /> },
];

const CSV: readonly CsvColumn<Entry>[] = [
  { name: "version", value: (row) => row.version },
  { name: "at_utc", value: (row) => csvTime(row.at_ms) },
  { name: "kind", value: (row) => row.kind },
  { name: "points", value: (row) => plainPoints(row.delta_millipoints) },
  { name: "session_id", value: (row) => row.session_id },
  { name: "stream_id", value: (row) => row.stream_id },
  { name: "payment_id", value: (row) => row.payment_id },
  { name: "note", value: (row) => row.note },
];

function For({ entry }: { entry: Entry }) {
  return (
    <span class="break">
      {entry.session_id && <a href={`/admin/sessions/${entry.session_id}`}>session</a>}
      {entry.stream_id && <> of {entry.stream_id}</>}
      {entry.payment_id && <> <a class="mono" href={`/admin/money?tab=payments&q=${encodeURIComponent(entry.payment_id)}`}>{entry.payment_id}</a></>}
      {entry.note && <span class="soft"> {entry.note}</span>}
    </span>
  );
}

export function Ledger({ userId, revision }: { userId: string; revision: number }) {
  const load = (cursor: string | undefined) => get("/wallets/{user_id}/ledger", { params: { user_id: userId }, query: { cursor, limit: BLOCK } });
  return (
    <Panel title="Ledger" flush side={<CsvButton name={`ledger-${userId}`} columns={CSV} load={load} />}>
      <PagedList of={`${userId}:${revision}`} load={load}>
        {(items) =>
          items.length === 0 ? (
            <Empty title="Nothing was paid or received yet." />
          ) : (
            <div class="users-ledger">
              {Array.from({ length: Math.ceil(items.length / BLOCK) }, (_, n) => {
                const rows = items.slice(n * BLOCK, (n + 1) * BLOCK);
                return <Block key={rows[0]?.entry_id} first={rows[0]} length={rows.length} rows={rows} />;
              })}
            </div>
          )
        }
      </PagedList>
    </Panel>
  );
}

interface BlockProps {
  first: Entry | undefined;
  length: number;
  rows: Entry[];
}

const Block = memo(
  function Block({ first, rows }: BlockProps) {
    const element = useRef<HTMLDivElement>(null);
    const isNear = useSignal(true);
    useEffect(() => {
      const block = element.current;
      if (!block) return;
      const observer = new IntersectionObserver(([entry]) => {
        if (!entry) return;
        // A block without rows keeps its height, so that nothing moves.
        if (!entry.isIntersecting && isNear.peek()) block.style.minHeight = `${block.offsetHeight}px`;
        if (entry.isIntersecting) block.style.minHeight = "";
        isNear.value = entry.isIntersecting;
      }, { rootMargin: `${NEAR_PX}px 0px` });
      observer.observe(block);
      return () => observer.disconnect();
    }, []);
    return (
      <div class="users-block" ref={element}>
        {isNear.value && <Table caption={`Ledger from entry ${first?.version ?? ""} on, newest first`} columns={COLUMNS} rows={rows} rowKey={(row) => row.entry_id} empty={null} />}
      </div>
    );
  },
  // Entries never change, so a block with the same first entry and length is the same.
  (before: BlockProps, after: BlockProps) => before.first === after.first && before.length === after.length,
);
