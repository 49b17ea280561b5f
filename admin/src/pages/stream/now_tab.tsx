/** What happens with a stream now: preview, health, figures, charts, tracks, repairs and outages. */
import { read } from "../../api/client";
import { bitrate, count, millis } from "../../format/units";
import { UNKNOWN } from "../../format/points";
import { words } from "../../format/words";
import { usePoll, type Polled } from "../../live/poll";
import { Figure, Freshness, Loading, Panel } from "../../ui/parts";
import type { Settings } from "../streams/form/values";
import type { StreamState } from "../streams/stream_state";
import { Charts } from "./charts";
import { Outages, Repairs, Tracks } from "./delivery";
import { Health } from "./health";
import { Preview } from "./preview";
import type { Runtime } from "./runtime";

export function NowTab({ stream, state }: { stream: Settings; state: Polled<StreamState> }) {
  const { stream_id } = stream;
  const runtime = usePoll(`runtime ${stream_id}`, (_, signal) => read("/streams/{stream_id}/runtime", { params: { stream_id }, signal }));
  return (
    <>
      <div class="columns">
        <Panel title="Preview"><Preview stream={stream} /></Panel>
        <Health id={stream_id} isLive={stream.desired_state === "live"} />
      </div>
      <Panel title="Encoder" side={<Freshness of={runtime} />}>
        <Loading of={runtime}>{(found) => <Figures of={found} state={state.data.value} />}</Loading>
      </Panel>
      <Charts id={stream_id} />
      {runtime.data.value && (
        <>
          <Tracks of={runtime.data.value} />
          <div class="columns">
            <Repairs of={runtime.data.value} />
            <Outages of={runtime.data.value} />
          </div>
        </>
      )}
    </>
  );
}

/** What a worker reported last counts only while one has the stream. */
function Figures({ of, state }: { of: Runtime; state: StreamState | undefined }) {
  const runs = of.worker_id !== null && of.claim_expires_at_ms !== null && of.state !== "stopped";
  const known = <T,>(value: T | null, format: (value: T) => string): string => (runs && value !== null ? format(value) : UNKNOWN);
  return (
    <div class="figures stream-figures">
      <Figure name="Plays" value={runs && of.source ? words(of.source.replace("-", " ")) : UNKNOWN} hint={of.waiting ? `waiting: ${words(of.waiting)}` : runs ? `worker ${of.worker_id}` : "no worker has it"} />
      <Figure name="Newest media" value={state?.manifest_age_ms == null ? UNKNOWN : millis(state.manifest_age_ms)} hint="old" />
      <Figure name="Bitrate in" value={known(of.ingest_bitrate_bps, bitrate)} hint="from the source" />
      <Figure name="Bitrate out" value={known(of.bitrate_bps, bitrate)} hint="best quality" />
      <Figure name="Pictures a second" value={known(of.fps, (fps) => String(Number(fps.toFixed(1))))} hint={runs && of.speed !== null ? `${of.speed.toFixed(2)} times real time` : undefined} />
      <Figure name="Segments a minute" value={known(of.segments_per_minute, (value) => String(Number(value.toFixed(1))))} />
      <Figure name="Restarts" value={known(of.restarts, count)} hint={runs ? `${count(of.dropped_frames)} dropped frames` : undefined} />
    </div>
  );
}
