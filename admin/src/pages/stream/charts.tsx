/** Charts of a stream over the last hour or day. */
import { read } from "../../api/client";
import { points } from "../../format/points";
import { bitrate, count, millis } from "../../format/units";
import { usePoll } from "../../live/poll";
import { useAddress } from "../../ui/address";
import { Chart } from "../../ui/chart";
import { Freshness, Loading, Panel } from "../../ui/parts";

const NAMES = "active_sessions,points_per_minute,ingest_bitrate_bps,segments_per_minute,manifest_age_ms";
const CHARTS = [
  { series: "active_sessions", title: "Viewers", format: count },
  { series: "points_per_minute", title: "Points a minute", format: (value: number) => points(Math.round(value * 1000)) },
  { series: "ingest_bitrate_bps", title: "Bitrate from the source", format: bitrate },
  { series: "segments_per_minute", title: "Segments a minute", format: (value: number) => String(Number(value.toFixed(1))) },
  { series: "manifest_age_ms", title: "Age of the newest media", format: millis },
] as const;
const MS_PER_HOUR = 3_600_000;
/** A sample is taken once a minute. */
const EVERY_MS = 15_000;

export function Charts({ id }: { id: string }) {
  const { query, set } = useAddress();
  const hours = query["hours"] === "24" ? 24 : 1;
  const polled = usePoll(
    `series ${id} ${hours}`,
    (ifNoneMatch, signal) => read("/monitoring/series", { query: { stream_id: id, names: NAMES, from_ms: fromMs(hours) }, ifNoneMatch, signal }),
    EVERY_MS,
  );
  return (
    <Panel
      title={hours === 24 ? "The last day" : "The last hour"}
      side={
        <>
          <button type="button" class="button slim" onClick={() => set({ hours: hours === 24 ? null : "24" })}>{hours === 24 ? "Show the last hour" : "Show the last day"}</button>
          <Freshness of={polled} />
        </>
      }
    >
      <Loading of={polled}>
        {(found) => (
          <div class="stream-charts">
            {CHARTS.map(({ series, title, format }) => (found.series[series] ?? []).every((value) => value === null) ? (
              <figure key={series} class="chart">
                <figcaption><strong>{title}</strong></figcaption>
                <p class="soft">Unknown in this time: nothing was measured.</p>
              </figure>
            ) : (
              <Chart key={series} title={title} fromMs={found.from_ms} stepS={found.step_s} format={format} lines={[{ name: title, values: found.series[series] ?? [] }]} />
            ))}
          </div>
        )}
      </Loading>
    </Panel>
  );
}

/** The start in whole minutes, so that the same minute has the same answer. */
const fromMs = (hours: number): number => Math.floor(Date.now() / 60_000) * 60_000 - hours * MS_PER_HOUR;
