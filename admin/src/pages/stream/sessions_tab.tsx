/** The sessions of a stream: those that are active, and those that ended last. */
import { get, read } from "../../api/client";
import { duration, count } from "../../format/units";
import { words } from "../../format/words";
import type { Session } from "../../live/pages";
import { usePoll } from "../../live/poll";
import { PagedList } from "../../ui/list";
import { Ago, Badge, Empty, Freshness, Loading, Panel, Points, Time, Unknown } from "../../ui/parts";
import { keepSame, Table, type Column } from "../../ui/table";
import { useRef } from "preact/hooks";

const SHOWN_MAX = 50;
const who = (each: Session) => (
  <>
    <a class="break" href={`/admin/sessions/${each.session_id}`}>{each.email ?? each.user_id}</a>
    {each.kind === "preview" && <> <Badge>preview</Badge></>}
    {each.is_canary && <> <Badge>canary</Badge></>}
  </>
);
const ACTIVE: Column<Session>[] = [
  { key: "who", name: "Who", head: true, wide: true, cell: who },
  { key: "since", name: "Since", cell: (each) => <Ago at={each.started_at_ms} suffix="" /> },
  { key: "quality", name: "Quality", cell: (each) => each.rendition ?? <Unknown /> },
  { key: "fetches", name: "Fetches", cell: (each) => (each.is_fetching === null ? <Unknown /> : each.is_fetching ? "yes" : <Badge tone="warn">no media for 15 s</Badge>) },
  { key: "spent", name: "Spent", number: true, cell: (each) => <Points of={each.charged_millipoints} /> },
  { key: "balance", name: "Balance", number: true, cell: (each) => <Points of={each.balance_millipoints} /> },
];
const ENDED: Column<Session>[] = [
  { key: "who", name: "Who", head: true, wide: true, cell: who },
  { key: "ended", name: "Ended", cell: (each) => <Time at={each.ended_at_ms} /> },
  { key: "why", name: "Why", cell: (each) => words(each.end_reason) || <Unknown /> },
  { key: "watched", name: "Watched", number: true, cell: (each) => (each.watched_ms === null ? <Unknown /> : duration(each.watched_ms)) },
  { key: "cost", name: "Cost", number: true, cell: (each) => <Points of={each.charged_millipoints} /> },
];

export function SessionsTab({ id }: { id: string }) {
  const kept = useRef<Session[]>([]);
  const polled = usePoll(`sessions ${id}`, (_, signal) => read("/sessions", { query: { stream_id: id, state: "active", limit: SHOWN_MAX }, signal }));
  return (
    <>
      <Panel title="Active" flush side={<><a href={`/admin/viewers?stream_id=${id}`}>All, with commands</a><Freshness of={polled} /></>}>
        <Loading of={polled}>
          {({ items, next_cursor }) => {
            kept.current = keepSame(kept.current, items, (each) => each.session_id);
            return (
              <>
                <Table caption="Active sessions" columns={ACTIVE} rows={kept.current} rowKey={(each) => each.session_id} empty={<Empty title="Nobody watches this stream now." />} />
                {next_cursor && <p class="body small soft">The newest {count(SHOWN_MAX)} are listed. <a href={`/admin/viewers?stream_id=${id}`}>See all of them</a></p>}
              </>
            );
          }}
        </Loading>
      </Panel>
      <Panel title="Ended last" flush side={<a href={`/admin/sessions?stream_id=${id}`}>All, with filters</a>}>
        <PagedList of={id} load={(cursor) => get("/sessions", { query: { stream_id: id, state: "ended", limit: 20, cursor } })}>
          {(items: Session[]) => <Table caption="Ended sessions" columns={ENDED} rows={items} rowKey={(each) => each.session_id} empty={<Empty title="No session of this stream has ended yet." />} />}
        </PagedList>
      </Panel>
    </>
  );
}
