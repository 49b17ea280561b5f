/** How long sessions that ended early were still served. */
import { get, type Schemas } from "../../api/client";
import { count, localTime, millis, utc } from "../../format/units";
import { plural, words } from "../../format/words";
import { usePoll } from "../../live/poll";
import { useAddress } from "../../ui/address";
import { Empty, Freshness, Loading, Message, Panel } from "../../ui/parts";
import { Table, type Column } from "../../ui/table";
import { barsOf, type Bar } from "./histogram";
import { dayAfter, dayOf } from "./hours";

type Item = Schemas["HourCutOffItem"];
const CUT_OFFS_MS = 30_000;

const keyOf = (each: Item): string => `${each.hour_ms} ${each.end_reason}`;
const COLUMNS: readonly Column<Item>[] = [
  { key: "hour", name: "Hour", head: true, cell: (each) => <time dateTime={new Date(each.hour_ms).toISOString()} title={utc(each.hour_ms)}>{localTime(each.hour_ms).slice(0, 16)}</time> },
  { key: "reason", name: "Ended because", cell: (each) => words(each.end_reason) },
  { key: "sessions", name: "Sessions", number: true, cell: (each) => count(each.sessions) },
  { key: "p50", name: "Half within", number: true, cell: (each) => millis(each.p50_ms) },
  { key: "p99", name: "99 of 100 within", number: true, cell: (each) => millis(each.p99_ms) },
  { key: "max", name: "Longest", number: true, cell: (each) => millis(each.max_ms) },
];

export function CutOffs() {
  const { query } = useAddress();
  const today = dayOf(undefined, Date.now());
  const day = dayOf(query["day"], Date.now());
  const cutOffs = usePoll(`cut-offs ${day}`, (_, signal) => get("/monitoring/cut-offs", { query: { day }, signal }), CUT_OFFS_MS);
  const to = (other: string): string => `/admin/system?tab=gateway${other >= today ? "" : `&day=${other}`}${query["hour"] ? `&hour=${query["hour"]}` : ""}`;
  return (
    <Panel
      flush title="Cut-offs by day"
      side={
        <>
          <a class="button slim" href={to(dayAfter(day, -1))}>Day before</a>
          <span>{day} UTC{day === today ? ", so far" : ""}</span>
          {day < today && <a class="button slim" href={to(dayAfter(day, 1))}>Day after</a>}
          <Freshness of={cutOffs} />
        </>
      }
    >
      <Loading of={cutOffs}>
        {({ items, all_added_up: isWhole }) => items.length === 0 ? (
          <Empty title="No session ended early on this day.">A session that was stopped, or had no points left, appears some minutes after its end.</Empty>
        ) : (
          <>
            <div class="system-above stack">
              {!isWhole && <Message tone="warn" title="The day has more sessions than are summed.">These figures are of a part of them.</Message>}
              <Histogram of={barsOf(items)} />
            </div>
            <Table caption="Cut-offs by hour and reason" columns={COLUMNS} rows={items} rowKey={keyOf} empty={null} />
          </>
        )}
      </Loading>
    </Panel>
  );
}

/** The sessions of the day by how long they were served on. */
function Histogram({ of }: { of: readonly Bar[] }) {
  const most = Math.max(1, ...of.map((each) => each.sessions));
  return (
    <table class="system-histogram">
      <caption class="small soft">{plural(of.reduce((sum, each) => sum + each.sessions, 0), "session")} by the time from the end to the last media byte</caption>
      <tbody>
        {of.map((bar) => (
          <tr key={bar.name}>
            <th scope="row">{bar.name}</th>
            <td class="number">{count(bar.sessions)}</td>
            <td class="system-bar" aria-hidden="true">
              <svg width="100%" height="12" preserveAspectRatio="none" viewBox="0 0 100 12"><rect width={(bar.sessions / most) * 100} height="12" /></svg>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
