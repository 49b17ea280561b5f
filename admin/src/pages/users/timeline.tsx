/** A user's timeline: money, sessions, logins and acts of operators in one list. */
import type { ComponentChildren } from "preact";
import { useSignal } from "@preact/signals";
import { memo } from "preact/compat";
import { Coins, KeyRound, Play, RotateCw, UserCog } from "lucide-preact";
import { get } from "../../api/client";
import { points, signedPoints } from "../../format/points";
import { words } from "../../format/words";
import { finances } from "../../session/token";
import { useAddress } from "../../ui/address";
import { Button } from "../../ui/buttons";
import { PagedList } from "../../ui/list";
import { Badge, Empty, Panel, Points, Time } from "../../ui/parts";
import { byDay, changesText, KIND_NAMES, kindOf, KINDS, sessionText, type Event, type Kind } from "./events";

const ICONS = { payment: Coins, session: Play, login: KeyRound, act: UserCog };

export function Timeline({ userId, revision }: { userId: string; revision: number }) {
  const { query, set } = useAddress();
  const kind = kindOf(query["kind"]);
  const again = useSignal(0);
  const choose = (next: Kind | null): void => set({ kind: next });
  return (
    <Panel title="Timeline" flush side={
      <Button slim look="quiet" onClick={() => (again.value += 1)}><RotateCw class="icon" aria-hidden="true" /> Read again</Button>
    }>
      <div class="users-kinds" role="group" aria-label="Show">
        <KindButton on={kind === null} onClick={() => choose(null)}>All</KindButton>
        {KINDS.map((each) => <KindButton key={each} on={kind === each} onClick={() => choose(each)}>{KIND_NAMES[each]}</KindButton>)}
      </div>
      <PagedList of={`${userId}:${revision}:${again.value}`} load={(cursor) => get("/users/{user_id}/timeline", { params: { user_id: userId }, query: { cursor, limit: 100 } })}>
        {(items) => <Days events={items} kind={kind} />}
      </PagedList>
    </Panel>
  );
}

function KindButton({ on, onClick, children }: { on: boolean; onClick: () => void; children: ComponentChildren }) {
  return (
    <button type="button" class="button slim users-kind" aria-pressed={on} onClick={onClick}>
      {children}
    </button>
  );
}

function Days({ events, kind }: { events: Event[]; kind: Kind | null }) {
  const shown = kind ? events.filter((event) => event.kind === kind) : events;
  if (events.length === 0) {
    return <Empty title="Nothing has happened yet."><p>Payments, sessions, logins and what operators did with this account appear here.</p></Empty>;
  }
  if (shown.length === 0) return <Empty title={`No ${KIND_NAMES[kind as Kind].toLowerCase()} among the ${events.length} newest events.`} />;
  return (
    <>
      {byDay(shown).map(({ day, events: ofDay }) => (
        <section key={day} class="users-day" aria-label={day}>
          <h3>{day}</h3>
          <ol>
            {ofDay.map((event) => <Line key={`${event.kind}:${event.event_id}`} event={event} />)}
          </ol>
        </section>
      ))}
    </>
  );
}

const Line = memo(function Line({ event }: { event: Event }) {
  const Icon = ICONS[event.kind];
  return (
    <li class="users-event">
      <Icon class="icon" aria-hidden="true" />
      <span class="small soft users-at"><Time at={event.at_ms} /></span>
      <div class="users-what">{what(event)}</div>
    </li>
  );
});

function what(event: Event): ComponentChildren {
  if (event.payment) return <PaymentLine of={event.payment} />;
  if (event.session) {
    const { session } = event;
    return (
      <>
        <a href={`/admin/sessions/${session.session_id}`}>{session.kind === "preview" ? "Preview" : "Session"}</a> of {session.stream_id}{" "}
        {session.active && <Badge tone="good">active</Badge>}
        <div class="small soft">{sessionText(session)}</div>
      </>
    );
  }
  if (event.login) {
    return (
      <>
        Login from {event.login.ip || "an unknown address"}
        <div class="small soft break">{event.login.user_agent || "unknown agent"}</div>
      </>
    );
  }
  if (event.act) {
    const { act } = event;
    const changes = changesText(act);
    return (
      <>
        {act.action} <span class="soft">by {act.by_email ?? act.by_user_id}</span>
        {changes && <div class="small soft break">{changes}</div>}
      </>
    );
  }
  return words(event.kind);
}

function PaymentLine({ of }: { of: NonNullable<Event["payment"]> }) {
  const id = <span class="mono break">{of.payment_id}</span>;
  return (
    <>
      <strong>{signedPoints(of.millipoints)} points</strong> by {of.source}{" "}
      {of.reversed_at_ms !== null && <Badge tone="warn">taken back</Badge>}
      <div class="small soft break">
        Payment {finances() ? <a href={`/admin/money?tab=payments&q=${encodeURIComponent(of.payment_id)}`}>{id}</a> : id}
        {of.session_id && <>, adjusts <a href={`/admin/sessions/${of.session_id}`}>a session</a></>}
        {of.note && <>: {of.note}</>}
      </div>
      {of.reversed_at_ms !== null && (
        <div class="small soft">
          <Points of={of.reversed_millipoints} unit /> taken back <Time at={of.reversed_at_ms} />
          {of.shortfall_millipoints ? `; the wallet no longer held ${points(of.shortfall_millipoints)} points` : ""}
          {of.reversal_note && `: ${of.reversal_note}`}
        </div>
      )}
    </>
  );
}
