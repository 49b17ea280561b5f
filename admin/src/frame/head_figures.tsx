/** The figures that are always in view. */
import { count } from "../format/units";
import { points } from "../format/points";
import { Badge } from "../ui/parts";
import { useOverview } from "./overview_poll";

export function HeadFigures() {
  const data = useOverview().data.value;
  if (!data) return <div class="head-figures" />;
  const { figures } = data;
  const perMinute = figures.points_per_minute;
  return (
    <div class="head-figures">
      <span><b>{count(figures.active_sessions)}</b> <span class="soft">sessions</span></span>
      <span><b>{points(perMinute === null || perMinute === undefined ? null : Math.round(perMinute * 1000))}</b> <span class="soft">points a minute</span></span>
      {data.streams_live !== null && (
        <span><b>{data.streams_delivered ?? "–"}</b> <span class="soft">of {count(data.streams_live)} streams delivered</span></span>
      )}
      {!data.is_current && <Badge tone="warn" title="The last sample is older than 150 s">old figures</Badge>}
    </div>
  );
}
