/** Who has just left: greyed, with the reason, what it cost, and how long media was still served. */
import { memo } from "preact/compat";
import { millis } from "../../format/units";
import { words } from "../../format/words";
import type { Session } from "../../live/pages";
import { Panel, Points, Unknown } from "../../ui/parts";
import { Since } from "./live_parts";

export function LeftPanel({ sessions, more }: { sessions: readonly Session[]; more: boolean }) {
  if (sessions.length === 0) return null;
  return (
    <Panel title="Just left" flush side={<span class="small soft">the last minute, and ends whose cut-off is being measured{more && ": the newest only"}</span>}>
      <ul class="viewers-left">
        {sessions.map((session) => <Gone key={session.session_id} session={session} />)}
      </ul>
    </Panel>
  );
}

const Gone = memo(
  function Gone({ session }: { session: Session }) {
    return (
      <li>
        <span class="viewers-left-who">
          <a class="break" href={`/admin/sessions/${session.session_id}`}>{session.email ?? session.user_id}</a>
          <span class="small break">{session.stream_title ?? session.stream_id}</span>
        </span>
        <span><span class="small">Reason</span>{words(session.end_reason)}{session.message && <span class="small break">“{session.message}”</span>}</span>
        <span><span class="small">Left</span><span>{session.ended_at_ms === null ? <Unknown /> : <><Since at={session.ended_at_ms} /> ago</>}</span></span>
        <span><span class="small">Cost</span><Points of={session.charged_millipoints} /></span>
        <span><span class="small">Given back</span><Points of={session.refunded_millipoints} /></span>
        <span><span class="small">Still served</span><CutOff of={session} /></span>
      </li>
    );
  },
  (one, other) => JSON.stringify(one.session) === JSON.stringify(other.session),
);

/** How long an early end was still served. */
export function CutOff({ of }: { of: Pick<Session, "cut_off_measured" | "cut_off_ms"> }) {
  if (of.cut_off_measured === null) return <Unknown why="did not end early" />;
  return <>{of.cut_off_measured ? millis(of.cut_off_ms) : "not measured yet"}</>;
}
