/** A bar for each day or month. The table of the page has the figures. */
import { points } from "../../format/points";
import type { Period } from "./sums";

const HEIGHT = 100;
const BAR = 10;

export function PeriodBars({ periods, value, name }: { periods: readonly Period[]; value: (of: Period) => number; name: string }) {
  const values = periods.map(value);
  const most = Math.max(0, ...values);
  const first = periods[0];
  const last = periods.at(-1);
  if (!first || !last || most === 0) return <p class="soft">Nothing in this range.</p>;
  return (
    <figure class="money-bars">
      <div class="small soft row spread"><span>most: {points(most)} points, {periods[values.indexOf(most)]?.period}</span></div>
      <svg viewBox={`0 0 ${periods.length * BAR} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${name} from ${first.period} to ${last.period}; the figures are in the table below.`}>
        {periods.map((period, n) => {
          const height = (Math.max(0, values[n] ?? 0) / most) * HEIGHT;
          return (
            <g key={period.period}>
              <title>{`${period.period}: ${points(values[n])} points`}</title>
              <rect class="money-hit" x={n * BAR} y={0} width={BAR} height={HEIGHT} />
              <rect class="money-bar" x={n * BAR + 1} y={HEIGHT - height} width={BAR - 2} height={height} />
            </g>
          );
        })}
      </svg>
      <div class="small soft row spread"><span>{first.period}</span><span>{last.period}</span></div>
    </figure>
  );
}
