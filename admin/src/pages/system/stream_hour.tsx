/** The gateways' answers for each stream in one hour. */
import { get, type Schemas } from "../../api/client";
import { bytes, count, localTime, percent, utc } from "../../format/units";
import { operates } from "../../session/token";
import { PAGE_MAX, readPages, type Listed } from "../../live/pages";
import { usePoll } from "../../live/poll";
import { useAddress } from "../../ui/address";
import { Empty, Freshness, Loading, Panel, Unknown } from "../../ui/parts";
import { keepSame, Table, type Column } from "../../ui/table";
import { hourOf, hourText, HOUR_MS } from "./hours";

type Traffic = Schemas["StreamTrafficItem"];
const TRAFFIC_MS = 15_000;
const STREAMS_MAX = 1_000;
const KEPT_MS = 7 * 24 * HOUR_MS;

const keyOf = (each: Traffic): string => each.stream_id;
const share = (ratio: number | null): preact.ComponentChild => (ratio === null ? <Unknown why="nothing asked" /> : percent(ratio));
const COLUMNS: readonly Column<Traffic>[] = [
  { key: "stream", name: "Stream", head: true, wide: true, cell: (each) => operates() ? <a class="break" href={`/admin/streams/${encodeURIComponent(each.stream_id)}`}>{each.stream_id}</a> : <span class="break">{each.stream_id}</span> },
  { key: "2xx", name: "Answered", number: true, cell: (each) => count(each.media.answers_2xx) },
  { key: "4xx", name: "Refused", number: true, cell: (each) => count(each.media.answers_4xx) },
  { key: "5xx", name: "Failed", number: true, cell: (each) => count(each.media.answers_5xx) },
  { key: "sent", name: "Sent", number: true, cell: (each) => bytes(each.media.egress_bytes) },
  { key: "playlists", name: "Playlists cached", number: true, cell: (each) => share(each.playlists.hit_ratio) },
  { key: "segments", name: "Segments cached", number: true, cell: (each) => share(each.segments.hit_ratio) },
  { key: "decisions", name: "Decisions cached", number: true, cell: (each) => share(each.verdicts.hit_ratio) },
];

export function StreamHour() {
  const { query } = useAddress();
  const chosen = hourOf(query["hour"]);
  let before: Traffic[] = [];
  const traffic = usePoll<Listed<Traffic>>(`traffic ${chosen}`, async (_, signal) => {
    const found = await readPages((cursor) => get("/monitoring/streams", { query: { limit: PAGE_MAX, cursor, ...(chosen !== null && { at_ms: chosen }) }, signal }), STREAMS_MAX);
    before = keepSame(before, found.items, keyOf);
    return { ...found, items: before };
  }, TRAFFIC_MS);
  const now = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  const shown = chosen ?? now;
  const to = (hour: number): string => `/admin/system?tab=gateway${hour >= now ? "" : `&hour=${hour}`}${query["day"] ? `&day=${query["day"]}` : ""}`;
  return (
    <Panel
      flush title="Streams by hour"
      side={
        <>
          {shown - HOUR_MS > now - KEPT_MS && <a class="button slim" href={to(shown - HOUR_MS)}>Hour before</a>}
          <span title={`${utc(shown)}`}>{hourText(localTime(shown), shown === now)}</span>
          {shown < now && <a class="button slim" href={to(shown + HOUR_MS)}>Hour after</a>}
          <Freshness of={traffic} />
        </>
      }
    >
      <Loading of={traffic}>
        {({ items, more }) => (
          <>
            <Table caption="Answers of the gateways by stream" columns={COLUMNS} rows={items} rowKey={keyOf} empty={<Empty title="No stream was served in this hour.">Hours are kept for a week. The newest answers appear some 15 s late.</Empty>} />
            {more && <p class="system-note small soft">Only the first {STREAMS_MAX.toLocaleString("en-US")} streams are shown.</p>}
          </>
        )}
      </Loading>
    </Panel>
  );
}
