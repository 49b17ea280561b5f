/** The platform by minutes, over the last hour or the last day. */
import { read } from "../../api/client";
import { usePoll } from "../../live/poll";
import { useAddress } from "../../ui/address";
import { Chart } from "../../ui/chart";
import { Empty, Freshness, Loading, Panel } from "../../ui/parts";
import { fromOf, linesOf, NAMES, PLANS, spanOf, SPANS, type Span } from "./charts_data";

/** A new minute appears once a minute. */
const SERIES_MS = 15_000;

export function Charts() {
  const { query } = useAddress();
  const span = spanOf(query["span"]);
  const series = usePoll(`series ${span}`, (ifNoneMatch, signal) => read("/monitoring/series", {
    query: { names: NAMES, step: "60", from_ms: fromOf(Date.now(), span) }, ifNoneMatch, signal,
  }), SERIES_MS);
  return (
    <Panel title="Charts" side={<Freshness of={series} />}>
      <div class="stack">
        <nav class="tabs" aria-label="Time shown">
          {(Object.keys(SPANS) as Span[]).map((each) => (
            <a key={each} href={each === "hour" ? "/admin/" : `/admin/?span=${each}`} aria-current={each === span ? "page" : undefined}>{SPANS[each].name}</a>
          ))}
        </nav>
        <Loading of={series}>
          {(answer) => Object.values(answer.series).every((values) => values.every((value) => value === null)) ? (
            <Empty title="Nothing was sampled in this time.">A schedule takes a sample each minute. The first one appears within two minutes of the start.</Empty>
          ) : (
            <div class="overview-charts">
              {PLANS.map((plan) => <Chart key={plan.key} title={plan.title} format={plan.format} fromMs={answer.from_ms} stepS={answer.step_s} lines={linesOf(plan, answer)} />)}
            </div>
          )}
        </Loading>
      </div>
    </Panel>
  );
}
