/** The page Sessions: who has watched what, when, and for how much. */
import { get } from "../../api/client";
import { points, UNKNOWN } from "../../format/points";
import { count, duration } from "../../format/units";
import { words } from "../../format/words";
import type { Session } from "../../live/pages";
import { operates } from "../../session/token";
import { useAddress } from "../../ui/address";
import { Button } from "../../ui/buttons";
import { SearchField, SelectField, TextField } from "../../ui/fields";
import { PagedList } from "../../ui/list";
import { Badge, Empty, Figure, PageHead, Panel, Points, Time, Unknown } from "../../ui/parts";
import { Table, type Column } from "../../ui/table";
import { CutOff } from "../viewers/left";
import { UserChoice, useFoundUser } from "./find_user";
import { msOf, sumOf, type Sum } from "./sums";
import "./sessions.css";

const REASONS = ["viewer_stopped", "balance_exhausted", "max_points_reached", "daily_cap_reached", "kicked", "lease_expired", "stream_paused", "stream_stopped", "superseded"] as const;
type Reason = (typeof REASONS)[number];
const PAGE = 100;
const FILTERS = ["user", "user_id", "stream_id", "state", "end_reason", "from", "to"];

export function Sessions() {
  const { query, set } = useAddress();
  const isActive = query["state"] === "active";
  // Links of other pages have the id, the field writes what was typed.
  const who = query["user"] ?? query["user_id"] ?? "";
  const found = useFoundUser(who).value;
  const reason = REASONS.find((each) => each === query["end_reason"]);
  const fromMs = msOf(query["from"] ?? "");
  const toMs = msOf(query["to"] ?? "");
  const isBackwards = fromMs !== null && toMs !== null && fromMs >= toMs;
  const wanted = {
    state: isActive ? ("active" as const) : ("ended" as const),
    stream_id: query["stream_id"] || undefined,
    user_id: found.state === "one" ? found.userId : undefined,
    end_reason: isActive ? undefined : (reason as Reason | undefined),
    from_ms: fromMs ?? undefined,
    to_ms: toMs ?? undefined,
  };
  const isFiltered = FILTERS.some((name) => query[name]);
  const clear = (): void => set(Object.fromEntries(FILTERS.map((name) => [name, null])));
  return (
    <>
      <PageHead title="Sessions">{isFiltered && <Button slim onClick={clear}>Clear the filter</Button>}</PageHead>
      <Panel>
        <div class="filters">
          <SearchField label="User" placeholder="email or id" value={who} onChange={(user) => set({ user, user_id: null })} />
          <TextField label="Stream" placeholder="id of the stream" value={query["stream_id"] ?? ""} onChange={(stream_id) => set({ stream_id: stream_id.trim() })} autocomplete="off" spellcheck={false} />
          <SelectField label="State" value={isActive ? "active" : "ended"} onChange={(state) => set({ state: state === "ended" ? null : state })} options={[{ value: "ended", label: "Ended" }, { value: "active", label: "Active" }]} />
          <SelectField label="End reason" disabled={isActive} value={isActive ? "" : (reason ?? "")} onChange={(end_reason) => set({ end_reason })} options={[{ value: "", label: "Any" }, ...REASONS.map((each) => ({ value: each, label: words(each) }))]} />
          <TextField label="From" type="datetime-local" value={query["from"] ?? ""} onChange={(from) => set({ from })} />
          <TextField label="To" type="datetime-local" value={query["to"] ?? ""} onChange={(to) => set({ to })} fault={isBackwards ? "is not after From" : null} />
        </div>
      </Panel>
      {isBackwards ? null : found.state === "any" || found.state === "one" ? (
        <PagedList of={JSON.stringify(wanted)} load={(cursor) => get("/sessions", { query: { ...wanted, limit: PAGE, cursor } })}>
          {(sessions) => <Listed sessions={sessions} isActive={isActive} isFiltered={isFiltered} clear={clear} />}
        </PagedList>
      ) : (
        <UserChoice of={found} text={who} onChoose={(user) => set({ user, user_id: null })} />
      )}
    </>
  );
}

function Listed({ sessions, isActive, isFiltered, clear }: { sessions: Session[]; isActive: boolean; isFiltered: boolean; clear: () => void }) {
  const empty = isFiltered ? (
    <Empty title="No session matches the filter."><Button onClick={clear}>Show all</Button></Empty>
  ) : (
    <Empty title="No session has ended yet.">Those that are active are among the <a href="/admin/viewers">live viewers</a>.</Empty>
  );
  return (
    <>
      {sessions.length > 0 && <Totals sessions={sessions} isActive={isActive} />}
      <Panel flush>
        <Table caption={isActive ? "Active sessions" : "Ended sessions"} columns={isActive ? ACTIVE : ENDED} rows={sessions} rowKey={(session) => session.session_id} empty={empty} />
      </Panel>
    </>
  );
}

function Totals({ sessions, isActive }: { sessions: Session[]; isActive: boolean }) {
  const cost = sumOf(sessions, (each) => each.charged_millipoints);
  const watched = sumOf(sessions, (each) => each.watched_ms);
  const served = sumOf(sessions, (each) => each.media_ms);
  const back = sumOf(sessions, (each) => each.refunded_millipoints);
  return (
    <div class="figures">
      <Figure name="Shown" value={count(sessions.length)} unit={sessions.length === 1 ? "session" : "sessions"} />
      <Figure name={isActive ? "Spent so far" : "Cost"} value={shown(cost, sessions, points)} hint={unknownOf(cost)} />
      {!isActive && <Figure name="Given back at the end" value={shown(back, sessions, points)} hint={unknownOf(back)} />}
      {!isActive && <Figure name="Watched" value={shown(watched, sessions, duration)} hint={unknownOf(watched)} />}
      <Figure name="Served" value={shown(served, sessions, duration)} hint={unknownOf(served)} />
    </div>
  );
}

const shown = ({ total, unknown }: Sum, of: Session[], write: (value: number) => string): string => (unknown === of.length ? UNKNOWN : write(total));
const unknownOf = ({ unknown }: Sum): string | undefined => (unknown ? `${count(unknown)} not known` : undefined);

const Stream = ({ of }: { of: Session }) => {
  const name = of.stream_title ?? of.stream_id;
  return operates() ? <a class="break" title={of.stream_id} href={`/admin/streams/${encodeURIComponent(of.stream_id)}`}>{name}</a> : <span class="break" title={of.stream_id}>{name}</span>;
};

const SHARED: Column<Session>[] = [
  {
    key: "user", name: "User", wide: true,
    cell: (each) => (
      <span class="row">
        <a class="break" href={`/admin/users/${encodeURIComponent(each.user_id)}`}>{each.email ?? each.user_id}</a>
        {each.kind === "preview" && <Badge>preview</Badge>}
        {each.is_canary && <Badge>synthetic</Badge>}
      </span>
    ),
  },
  { key: "stream", name: "Stream", cell: (each) => <Stream of={each} /> },
];
const linked = (each: Session, at: number | null) => <a href={`/admin/sessions/${each.session_id}`}><Time at={at} /></a>;
const ms = (value: number | null) => (value === null ? <Unknown /> : duration(value));
const SERVED: Column<Session> = { key: "served", name: "Served", number: true, cell: (each) => ms(each.media_ms) };

const ENDED: Column<Session>[] = [
  { key: "ended", name: "Ended", head: true, cell: (each) => linked(each, each.ended_at_ms) },
  ...SHARED,
  { key: "reason", name: "Reason", cell: (each) => words(each.end_reason) },
  { key: "watched", name: "Watched", number: true, cell: (each) => ms(each.watched_ms) },
  SERVED,
  { key: "cost", name: "Cost", number: true, cell: (each) => <Points of={each.charged_millipoints} /> },
  { key: "settled", name: "Settled", number: true, cell: (each) => (each.settled_at_ms === null ? <Unknown why="not settled" /> : <Points of={each.settled_millipoints} />) },
  { key: "cutoff", name: "Still served", number: true, cell: (each) => <CutOff of={each} /> },
];
const ACTIVE: Column<Session>[] = [
  { key: "started", name: "Started", head: true, cell: (each) => linked(each, each.started_at_ms) },
  ...SHARED,
  { key: "fetching", name: "Watching", cell: (each) => (each.is_fetching === null ? <Unknown /> : each.is_fetching ? "yes" : <Badge tone="warn">not fetching</Badge>) },
  SERVED,
  { key: "spent", name: "Spent", number: true, cell: (each) => <Points of={each.charged_millipoints} /> },
  { key: "balance", name: "Balance", number: true, cell: (each) => <Points of={each.balance_millipoints} /> },
];
