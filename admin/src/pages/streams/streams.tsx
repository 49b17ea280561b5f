/** The page Streams: what should run, what really happens, and what is wrong. */
import { useMemo, useRef } from "preact/hooks";
import { CirclePlus } from "lucide-preact";
import { get, read, type Loaded, type Unchanged } from "../../api/client";
import { bitrate, count, millis } from "../../format/units";
import { points, UNKNOWN } from "../../format/points";
import { plural } from "../../format/words";
import { PAGE_MAX, readPages, type Listed } from "../../live/pages";
import { usePoll } from "../../live/poll";
import { useAddress } from "../../ui/address";
import { SearchField, SelectField } from "../../ui/fields";
import { Badge, Empty, Freshness, Loading, Message, PageHead, Panel, Points, Unknown } from "../../ui/parts";
import { keepSame, Table, type Column } from "../../ui/table";
import { StreamCommands } from "./commands";
import { isShown, SHOWN, sorted, stateText, stateTone, totalsOf, troubleOf, type Shown, type StreamState } from "./stream_state";
import "./streams.css";

const STREAMS_MAX = 1_000;
const NAMES: Record<Shown, string> = { all: "All streams", live: "Wanted live", trouble: "With a problem", off: "Paused or stopped" };

/** Read all streams. A list of one page, which is the usual one, has an ETag. */
async function load(ifNoneMatch: string | undefined, signal: AbortSignal): Promise<Loaded<Listed<StreamState>> | Unchanged> {
  const first = await read("/monitoring/stream-states", { query: { limit: PAGE_MAX }, ifNoneMatch, signal });
  if (first.unchanged) return first;
  const { items, next_cursor } = first.data;
  if (!next_cursor) return { ...first, data: { items, more: false } };
  const rest = await readPages(
    (cursor) => get("/monitoring/stream-states", { query: { limit: PAGE_MAX, cursor: cursor ?? next_cursor }, signal }),
    STREAMS_MAX - items.length,
  );
  return { data: { items: [...items, ...rest.items], more: rest.more }, etag: undefined, unchanged: false };
}

export function Streams() {
  const polled = usePoll("streams", load);
  return (
    <>
      <PageHead title="Streams">
        <a class="button primary" href="/admin/streams/new"><CirclePlus class="icon" aria-hidden="true" /> New stream</a>
      </PageHead>
      <Loading of={polled}>{(listed) => <StreamList listed={listed} freshness={<Freshness of={polled} />} reload={polled.reload} />}</Loading>
    </>
  );
}

function StreamList({ listed, freshness, reload }: { listed: Listed<StreamState>; freshness: preact.ComponentChildren; reload: () => Promise<void> }) {
  const { query, set } = useAddress();
  const shown = SHOWN.find((each) => each === query["show"]) ?? "all";
  const search = query["q"] ?? "";
  const key = query["sort"] ?? "title";
  const down = query["down"] === "1";
  const kept = useRef<StreamState[]>([]);
  const columns = useMemo(() => columnsOf(reload), [reload]);
  kept.current = keepSame(kept.current, listed.items, (each) => each.stream_id);
  if (listed.items.length === 0) {
    return (
      <Panel title="No streams yet" side={freshness}>
        <Empty title="There is no stream yet.">
          <p>A stream has a source, a ladder of qualities and a price. The test picture needs nothing else.</p>
          <p><a href="/admin/streams/new">Create the first stream</a></p>
        </Empty>
      </Panel>
    );
  }
  const totals = totalsOf(kept.current);
  const rows = sorted(kept.current.filter((each) => isShown(each, shown, search)), key, down);
  return (
    <>
      <div class="filters">
        <SearchField label="Search" value={search} placeholder="Title or id" onChange={(q) => set({ q })} />
        <SelectField
          label="Show"
          value={shown}
          onChange={(value) => set({ show: value === "all" ? null : value })}
          options={SHOWN.map((value) => ({ value, label: value === "trouble" ? `${NAMES[value]} (${totals.trouble})` : NAMES[value] }))}
        />
      </div>
      {listed.more && <Message tone="warn" title={`Only the first ${count(listed.items.length)} streams are listed.`}>Search and totals are of these.</Message>}
      <Panel
        flush
        title={`${count(rows.length)}${rows.length < kept.current.length ? ` of ${count(kept.current.length)}` : ""} ${kept.current.length === 1 ? "stream" : "streams"}`}
        side={
          <>
            <span class="small">
              {count(totals.live)} live · {totals.viewers === null ? "viewers unknown" : plural(totals.viewers, "viewer")} · {points(totals.millipoints)} points a minute
            </span>
            {freshness}
          </>
        }
      >
        <Table
          caption="Streams"
          columns={columns}
          rows={rows}
          rowKey={(each) => each.stream_id}
          sort={{ key, down }}
          onSort={(sort) => set({ sort: sort.key, down: sort.down ? "1" : null })}
          empty={<Empty title="No stream fits."><a href="/admin/streams">Show all streams</a></Empty>}
        />
      </Panel>
    </>
  );
}

function columnsOf(reload: () => Promise<void>): Column<StreamState>[] {
  return [
    {
      key: "title", name: "Stream", head: true, wide: true, sortable: true,
      cell: (each) => (
        <div class="streams-name">
          <a href={`/admin/streams/${each.stream_id}`}>{each.title}</a>
          <div class="small soft">{each.stream_id}</div>
        </div>
      ),
    },
    { key: "state", name: "State", cell: (each) => <span class="streams-state"><Badge tone={stateTone(each)}>{stateText(each)}</Badge></span> },
    { key: "trouble", name: "Problem", wide: true, sortable: true, cell: (each) => <Problem of={each} /> },
    {
      key: "viewers", name: "Viewers", number: true, sortable: true,
      cell: (each) => (
        <a href={`/admin/viewers?stream_id=${each.stream_id}`} aria-label={`Viewers of ${each.title}: ${count(each.viewers)}`}>
          {count(each.viewers)}
          {each.viewers_max > 0 && <span class="soft"> / {count(each.viewers_max)}</span>}
        </a>
      ),
    },
    { key: "points", name: "Points/min", number: true, sortable: true, cell: (each) => <Points of={each.millipoints_per_minute} /> },
    { key: "age", name: "Media age", number: true, sortable: true, cell: (each) => <Age of={each} /> },
    { key: "bitrate", name: "Bitrate", number: true, sortable: true, cell: (each) => (each.bitrate_bps === null ? <Unknown why={each.desired_state === "live" ? "unknown" : "does not run"} /> : bitrate(each.bitrate_bps)) },
    { key: "commands", name: "Commands", wide: true, cell: (each) => <StreamCommands stream={each} changed={reload} slim /> },
  ];
}

function Problem({ of }: { of: StreamState }) {
  const trouble = troubleOf(of);
  if (!trouble) return <span class="soft">{of.desired_state === "live" && of.state === "live" ? "none" : UNKNOWN}</span>;
  return (
    <div class="streams-problem">
      {trouble.title && <Badge tone={trouble.tone}>{trouble.title}</Badge>}
      <span class="small break"> {trouble.text}</span>
      {trouble.others > 0 && <> <a class="small" href={`/admin/streams/${of.stream_id}`}>and {trouble.others} more</a></>}
    </div>
  );
}

/** The age of the newest media. A stream that should be delivered is late after some segments. */
const LATE_MS = 15_000;
function Age({ of }: { of: StreamState }) {
  const age = of.manifest_age_ms;
  if (age === null) return <Unknown why={of.desired_state === "live" ? "nothing was published yet" : "does not run"} />;
  return age > LATE_MS ? <Badge tone="warn" title="Viewers wait for new media">{millis(age)}</Badge> : <>{millis(age)}</>;
}
