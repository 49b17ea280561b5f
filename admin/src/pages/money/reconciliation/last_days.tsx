/** The last days of the reconciliation at a glance. */
import { get } from "../../../api/client";
import { plural } from "../../../format/words";
import { usePoll } from "../../../live/poll";
import { Badge, Freshness, Loading, Panel } from "../../../ui/parts";
import { dayAfter } from "../days";
import { openCases, type DayTotals } from "./findings";

const DAYS = 7;
const EVERY_MS = 30_000;

export function LastDays({ until, chosen, onChoose }: { until: string; chosen: string; onChoose: (day: string) => void }) {
  const days = usePoll(`days:${until}`, (_, signal) =>
    Promise.all(Array.from({ length: DAYS }, (_, n) => get("/reconciliation/{day}", { params: { day: dayAfter(until, n + 1 - DAYS) }, signal }))), EVERY_MS);
  return (
    <Panel title={`The last ${DAYS} days`} side={<Freshness of={days} />}>
      <Loading of={days}>
        {(found) => (
          <div class="money-days">
            {found.map((each) => (
              <button key={each.day} type="button" class="money-day" aria-pressed={each.day === chosen} onClick={() => onChoose(each.day)}>
                <strong>{each.day}</strong>
                <span class="small soft">{plural(each.sessions, "session")}</span>
                <State of={each} />
              </button>
            ))}
          </div>
        )}
      </Loading>
    </Panel>
  );
}

function State({ of }: { of: DayTotals }) {
  const open = openCases(of);
  if (of.ledger_mismatches) return <Badge tone="bad">ledger differs</Badge>;
  if (open) return <Badge tone="warn">{`${open} open`}</Badge>;
  if (of.not_measured) return <Badge>{`${of.not_measured} not measured`}</Badge>;
  return of.sessions ? <Badge tone="good">agrees</Badge> : <Badge>no sessions</Badge>;
}
