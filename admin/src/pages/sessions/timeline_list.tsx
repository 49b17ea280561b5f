/** The events of a session below each other. */
import { Coins, Flag, Play, Receipt, Scale, SlidersHorizontal } from "lucide-preact";
import { signedPoints } from "../../format/points";
import { Time } from "../../ui/parts";
import type { Detail, Line } from "./ledger_words";
import { timelineOf, type Event } from "./timeline";

const ICONS = { start: Play, leases: Coins, line: Receipt, end: Flag, settled: Scale, adjusted: SlidersHorizontal };

export function Timeline({ session, lines }: { session: Detail; lines: readonly Line[] }) {
  return (
    <ol class="sessions-timeline">
      {timelineOf(session, lines).map((event) => <Item key={event.key} event={event} />)}
    </ol>
  );
}

function Item({ event }: { event: Event }) {
  const Icon = ICONS[event.kind];
  return (
    <li>
      <Icon class="icon" aria-hidden="true" />
      <div>
        <div class="row spread">
          <strong>{event.title}</strong>
          {event.delta !== null && <span class="points">{signedPoints(event.delta)}</span>}
        </div>
        {event.text && <div class="break">{event.text}</div>}
        <div class="small soft"><Time at={event.atMs} />{event.untilMs !== undefined && <> to <Time at={event.untilMs} /></>}</div>
      </div>
    </li>
  );
}
