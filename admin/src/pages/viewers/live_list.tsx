/** Live viewers as cards or as rows. An item is drawn again only when its row is another object. */
import { useComputed, type Signal } from "@preact/signals";
import { ArrowDown, ArrowUp } from "lucide-preact";
import { memo } from "preact/compat";
import { bitrate } from "../../format/units";
import { points } from "../../format/points";
import { Button } from "../../ui/buttons";
import { Points, Unknown } from "../../ui/parts";
import { Device, Left, Marks, Since } from "./live_parts";
import { SORTS, type LiveRow } from "./live_rows";

export interface Acts {
  selected: Signal<ReadonlySet<string>>;
  /** Null for those who may only look. */
  stop: ((row: LiveRow) => void) | null;
}

interface ItemProps {
  row: LiveRow;
  acts: Acts;
}

function toggle({ selected }: Acts, id: string, on: boolean): void {
  const ids = new Set(selected.peek());
  if (on) ids.add(id);
  else ids.delete(id);
  selected.value = ids;
}

function Choice({ row, acts }: ItemProps) {
  const checked = useComputed(() => acts.selected.value.has(row.id));
  return (
    <input
      type="checkbox"
      class="viewers-choice"
      aria-label={`Select ${row.email ?? row.userId}`}
      checked={checked}
      onChange={(event) => toggle(acts, row.id, event.currentTarget.checked)}
    />
  );
}

const Who = ({ row }: { row: LiveRow }) => <a class="break" href={`/admin/users/${encodeURIComponent(row.userId)}`}>{row.email ?? row.userId}</a>;

/** Finance may not open a stream's page, so its name is no link there. */
function StreamName({ row, linked }: { row: LiveRow; linked: boolean }) {
  const name = row.streamTitle ?? row.streamId;
  return linked ? <a class="break" title={row.streamId} href={`/admin/streams/${encodeURIComponent(row.streamId)}`}>{name}</a> : <span class="break" title={row.streamId}>{name}</span>;
}

const Rate = ({ of }: { of: number | null }) => (of === null ? <Unknown /> : <>{bitrate(of)}</>);

const Card = memo(function Card({ row, acts }: ItemProps) {
  return (
    <li class={`viewers-card ${row.isFetching === false ? "idle" : ""}`}>
      <div class="viewers-card-head">
        {acts.stop && <Choice row={row} acts={acts} />}
        <div class="viewers-who">
          <strong><Who row={row} /></strong>
          <span class="small"><StreamName row={row} linked={acts.stop !== null} /></span>
        </div>
        {acts.stop && <Button slim look="danger" title={`Stop ${row.email ?? row.userId}`} onClick={() => acts.stop?.(row)}>Stop</Button>}
      </div>
      <div class="row small">
        <a href={`/admin/sessions/${row.id}`} title="Open the session">watching for <Since at={row.startedAtMs} /></a>
        <Marks row={row} />
      </div>
      <dl class="viewers-figures">
        <div><dt>Spent</dt><dd><Points of={row.spent} /></dd></div>
        <div><dt>Balance</dt><dd><Points of={row.balance} /></dd></div>
        <div><dt>Left</dt><dd><Left row={row} /></dd></div>
        <div><dt>Rendition</dt><dd>{row.rendition ?? <Unknown />}</dd></div>
        <div><dt>Bitrate</dt><dd><Rate of={row.bitrateBps} /></dd></div>
        <div><dt>Points/min</dt><dd>{points(row.rate)}</dd></div>
      </dl>
      <div class="viewers-device small soft">
        <span class="break">{row.ip ?? <Unknown why="address unknown" />}</span>
        <Device agent={row.agent} />
      </div>
    </li>
  );
});

export function Cards({ rows, acts }: { rows: readonly LiveRow[]; acts: Acts }) {
  return (
    <ul class="viewers-cards" aria-label="Live viewers">
      {rows.map((row) => <Card key={row.id} row={row} acts={acts} />)}
    </ul>
  );
}

const Line = memo(function Line({ row, acts }: ItemProps) {
  return (
    <div role="row" class={`viewers-line ${row.isFetching === false ? "idle" : ""}`}>
      <div role="cell" class="viewers-pick">{acts.stop && <Choice row={row} acts={acts} />}</div>
      <div role="rowheader" class="viewers-main"><Who row={row} /><div class="row viewers-marks"><Marks row={row} /></div></div>
      <div role="cell" data-label="Stream"><StreamName row={row} linked={acts.stop !== null} /></div>
      <div role="cell" data-label="Since"><a href={`/admin/sessions/${row.id}`} title="Open the session"><Since at={row.startedAtMs} /></a></div>
      <div role="cell" data-label="From" class="small"><span class="break">{row.ip ?? <Unknown />}</span><Device agent={row.agent} /></div>
      <div role="cell" data-label="Rendition">{row.rendition ?? <Unknown />}</div>
      <div role="cell" data-label="Bitrate" class="viewers-number"><Rate of={row.bitrateBps} /></div>
      <div role="cell" data-label="Spent" class="viewers-number"><Points of={row.spent} /></div>
      <div role="cell" data-label="Balance" class="viewers-number"><Points of={row.balance} /></div>
      <div role="cell" data-label="Left" class="viewers-number"><Left row={row} /></div>
      <div role="cell" class="viewers-act">{acts.stop && <Button slim look="danger" title={`Stop ${row.email ?? row.userId}`} onClick={() => acts.stop?.(row)}>Stop</Button>}</div>
    </div>
  );
});

const HEADS = ["who", "stream", "since", null, "rendition", "bitrate", "spent", "balance", "left"] as const;
const NUMBERS = new Set<string>(["bitrate", "spent", "balance", "left"]);

/** Rows of a grid, not of a table, so that the browser leaves out those that are not in view. */
export function Lines({ rows, acts, sort, onSort }: { rows: readonly LiveRow[]; acts: Acts; sort: { key: string; down: boolean }; onSort: (key: string, down: boolean) => void }) {
  return (
    <div role="table" aria-label="Live viewers" class="viewers-lines">
      <div role="rowgroup">
        <div role="row" class="viewers-line viewers-heads">
          <div role="columnheader"><span class="visually-hidden">Selected</span></div>
          {HEADS.map((key) => {
            if (key === null) return <div role="columnheader" key="from">From, device</div>;
            const isSorted = sort.key === key;
            return (
              <div role="columnheader" key={key} class={NUMBERS.has(key) ? "viewers-number" : ""} aria-sort={isSorted ? (sort.down ? "descending" : "ascending") : undefined}>
                <button type="button" onClick={() => onSort(key, isSorted ? !sort.down : true)}>
                  {SORTS.find((each) => each.key === key)?.name}
                  {isSorted && (sort.down ? <ArrowDown class="icon" aria-hidden="true" /> : <ArrowUp class="icon" aria-hidden="true" />)}
                </button>
              </div>
            );
          })}
          <div role="columnheader"><span class="visually-hidden">Stop</span></div>
        </div>
      </div>
      <div role="rowgroup">{rows.map((row) => <Line key={row.id} row={row} acts={acts} />)}</div>
    </div>
  );
}
