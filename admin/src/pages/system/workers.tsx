/** The workers, and how many streams each may run. */
import { get, type Schemas } from "../../api/client";
import { plural } from "../../format/words";
import { PAGE_MAX, readPages, type Listed } from "../../live/pages";
import { usePoll } from "../../live/poll";
import { Ago, Badge, Empty, Figure, Freshness, Loading, Message, Panel } from "../../ui/parts";
import { keepSame, Table, type Column } from "../../ui/table";

type Worker = Schemas["Worker"];
const WORKERS_MAX = 1_000;

const keyOf = (worker: Worker): string => worker.worker_id;
const COLUMNS: readonly Column<Worker>[] = [
  { key: "worker", name: "Worker", head: true, wide: true, cell: (each) => <span class="mono break">{each.worker_id}</span> },
  {
    key: "runs", name: "Runs", cell: (each) => (
      <span class="row">
        <meter min={0} max={Math.max(1, each.capacity)} value={each.stream_ids.length} aria-label="Share of the capacity in use" />
        {each.stream_ids.length} of {each.capacity}
        {each.stream_ids.length >= each.capacity && <Badge tone="warn">full</Badge>}
      </span>
    ),
  },
  { key: "seen", name: "Seen", number: true, cell: (each) => <Ago at={each.seen_at_ms} /> },
  { key: "streams", name: "Streams", wide: true, cell: (each) => <Streams of={each.stream_ids} /> },
];

function Streams({ of }: { of: readonly string[] }) {
  if (of.length === 0) return <span class="soft">none</span>;
  return <span class="row">{of.map((id) => <a key={id} class="break" href={`/admin/streams/${encodeURIComponent(id)}`}>{id}</a>)}</span>;
}

export function WorkersTab() {
  let before: Worker[] = [];
  const workers = usePoll<Listed<Worker>>("workers", async (_, signal) => {
    const found = await readPages((cursor) => get("/workers", { query: { limit: PAGE_MAX, cursor }, signal }), WORKERS_MAX);
    before = keepSame(before, found.items, keyOf);
    return { ...found, items: before };
  });
  return (
    <Panel title="Workers" side={<Freshness of={workers} />} flush>
      <Loading of={workers}>
        {({ items, more }) => (
          <>
            {items.length > 0 && <Capacity of={items} />}
            <Table caption="Workers" columns={COLUMNS} rows={items} rowKey={keyOf} empty={<Empty title="No worker is running."><span>No stream is published. Start one: <code>python -m worker</code></span></Empty>} />
            {more && <p class="system-note small soft">Only the first {WORKERS_MAX.toLocaleString("en-US")} workers are shown.</p>}
          </>
        )}
      </Loading>
    </Panel>
  );
}

function Capacity({ of }: { of: readonly Worker[] }) {
  const capacity = of.reduce((sum, each) => sum + each.capacity, 0);
  const running = of.reduce((sum, each) => sum + each.stream_ids.length, 0);
  return (
    <div class="system-above stack">
      <div class="figures">
        <Figure name="Workers" value={of.length} hint="a silent one is left out after 20 s" />
        <Figure name="Streams running" value={running} unit={`of ${capacity}`} />
        <Figure name="Free" value={Math.max(0, capacity - running)} unit={capacity - running === 1 ? "stream" : "streams"} />
      </div>
      {running >= capacity && (
        <Message tone="warn" title="All workers are full.">
          The next stream that is set live waits. Start another worker, raise <code>TOLLCAST_WORKER_CAPACITY</code> if the processors have room, or pause one of the {plural(running, "stream")}.
        </Message>
      )}
    </div>
  );
}
