/** What was served against what was paid. */
import { duration } from "../../format/units";
import { Badge, Empty, Panel, Points, Time, Unknown } from "../../ui/parts";
import { verdict, type Detail } from "./ledger_words";

const TONES = { agrees: "good", explained: "accent", open: "bad" } as const;

export function Served({ session }: { session: Detail }) {
  const row = session.reconciliation;
  if (!row) {
    return (
      <Panel title="Served and paid">
        <Empty title="Not compared yet.">{session.active ? "A session is compared after its end." : "A session is compared two to three minutes after its end."}</Empty>
      </Panel>
    );
  }
  const found = verdict(row);
  const ms = (value: number | null) => (value === null ? <Unknown /> : duration(value));
  // Both sides at the session's price, as the reconciliation does it.
  const priced = (value: number | null) => <Points of={value === null ? null : Math.round((value * row.rate_millipoints_per_minute) / 60_000)} />;
  return (
    <Panel title="Served and paid" side={<span class="small soft">compared <Time at={row.reconciled_at_ms} /></span>}>
      <div class="stack tight">
        <p class="row sessions-verdict"><Badge tone={TONES[found.kind]}>{found.kind}</Badge><span>{found.text}</span></p>
        <div class="table-scroll">
          <table class="table">
            <caption class="visually-hidden">What was served and what was paid</caption>
            <thead><tr><th scope="col" /><th scope="col" class="number">Time</th><th scope="col" class="number">Points</th></tr></thead>
            <tbody>
              <tr><th scope="row">Served</th><td class="number">{ms(row.media_ms)}</td><td class="number">{priced(row.media_ms)}</td></tr>
              <tr><th scope="row">Paid</th><td class="number">{ms(row.paid_ms)}</td><td class="number"><Points of={row.net_millipoints + row.debt_millipoints} /></td></tr>
              <tr><th scope="row">Difference</th><td class="number">{row.drift_ms === null ? <Unknown /> : `${row.drift_ms < 0 ? "−" : ""}${duration(Math.abs(row.drift_ms))}`}</td><td class="number"><Points of={row.drift_millipoints} /></td></tr>
            </tbody>
          </table>
        </div>
        {row.debt_millipoints > 0 && <p class="small soft">Paid includes <Points of={row.debt_millipoints} unit /> that are open: the viewer's next start pays them.</p>}
      </div>
    </Panel>
  );
}
