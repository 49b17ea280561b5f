/** The lines of the ledger that name the session. The first hundred are shown at once. */
import { useSignal } from "@preact/signals";
import { signedPoints } from "../../format/points";
import { count } from "../../format/units";
import { Button } from "../../ui/buttons";
import { Empty, Time } from "../../ui/parts";
import { Table, type Column } from "../../ui/table";
import { kindWords, type Line } from "./ledger_words";

const STEP = 100;

const COLUMNS: Column<Line>[] = [
  { key: "version", name: "No", number: true, cell: (line) => count(line.version) },
  { key: "at", name: "When", cell: (line) => <Time at={line.at_ms} /> },
  { key: "kind", name: "What", head: true, cell: (line) => kindWords(line.kind) },
  { key: "seq", name: "For", wide: true, cell: (line) => <span class="break">{line.note || (line.payment_id ?? (line.seq === null ? "the session" : `lease ${line.seq}`))}</span> },
  { key: "points", name: "Points", number: true, cell: (line) => signedPoints(line.delta_millipoints) },
];

export function LedgerLines({ lines, more }: { lines: readonly Line[]; more: boolean }) {
  const shown = useSignal(STEP);
  return (
    <>
      <Table caption="Lines of the ledger" columns={COLUMNS} rows={lines.slice(0, shown.value)} rowKey={(line) => line.entry_id} empty={<Empty title="The session has no line in the ledger.">Free streams and previews have none.</Empty>} />
      {shown.value < lines.length && (
        <div class="row sessions-more">
          <Button onClick={() => (shown.value += STEP)}>Show more</Button>
          <span class="small soft">{count(shown.value)} of {count(lines.length)}</span>
        </div>
      )}
      {more && <p class="small soft sessions-more">There are more lines than the {count(lines.length)} that were read.</p>}
    </>
  );
}
