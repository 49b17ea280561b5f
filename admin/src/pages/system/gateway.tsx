/** What the gateways answered, what they found in their caches, and how fast they cut sessions off. */
import { get, type Schemas } from "../../api/client";
import { bytes, count, percent } from "../../format/units";
import { usePoll } from "../../live/poll";
import { Freshness, Loading, Panel, Unknown } from "../../ui/parts";
import { CutOffs } from "./cut_offs";
import { StreamHour } from "./stream_hour";

const METRICS_MS = 5_000;
type Metrics = Schemas["MetricsAnswer"];
type Answers = Schemas["Answers"];

export function GatewayTab() {
  const metrics = usePoll("metrics", (_, signal) => get("/monitoring/metrics", { signal }), METRICS_MS);
  const minutes = metrics.data.value?.window_minutes;
  return (
    <>
      <Panel title={minutes ? `Gateway, the last ${minutes} minutes` : "Gateway"} side={<Freshness of={metrics} />}>
        <Loading of={metrics}>{(found) => <Now of={found} />}</Loading>
      </Panel>
      <StreamHour />
      <CutOffs />
    </>
  );
}

const ROWS: readonly { name: string; of: keyof Answers; write: (value: number) => string }[] = [
  { name: "Answered (2xx)", of: "answers_2xx", write: count },
  { name: "Unchanged or elsewhere (3xx)", of: "answers_3xx", write: count },
  { name: "Refused (4xx)", of: "answers_4xx", write: count },
  { name: "Failed (5xx)", of: "answers_5xx", write: count },
  { name: "Client left first", of: "closed", write: count },
  { name: "Sent", of: "egress_bytes", write: bytes },
];
/** Why media was refused. */
export const REFUSALS: Record<string, string> = { 401: "not a valid token", 402: "not paid", 403: "ended by an operator", 410: "stream or session is over", 429: "too fast" };

function Now({ of: { gateway } }: { of: Metrics }) {
  const caches = [["Playlists", gateway.playlists], ["Segments", gateway.segments], ["Decisions", gateway.verdicts]] as const;
  return (
    <div class="system-tables">
      <table class="table">
        <caption class="system-caption">Answers</caption>
        <thead><tr><th scope="col">Answer</th><th scope="col" class="number">Media</th><th scope="col" class="number">API</th></tr></thead>
        <tbody>
          {ROWS.map(({ name, of, write }) => (
            <tr key={of}><th scope="row">{name}</th><td class="number">{write(gateway.media[of])}</td><td class="number">{write(gateway.api[of])}</td></tr>
          ))}
        </tbody>
      </table>
      <table class="table">
        <caption class="system-caption">Media that was refused</caption>
        <thead><tr><th scope="col">Why</th><th scope="col" class="number">Answers</th></tr></thead>
        <tbody>
          {Object.entries(gateway.refusals).map(([status, number]) => (
            <tr key={status}><th scope="row">{REFUSALS[status] ?? "other"} <span class="soft">({status})</span></th><td class="number">{count(number)}</td></tr>
          ))}
        </tbody>
      </table>
      <table class="table">
        <caption class="system-caption">Caches</caption>
        <thead><tr><th scope="col">Of</th><th scope="col" class="number">Found</th><th scope="col" class="number">Fetched</th><th scope="col" class="number">Share found</th></tr></thead>
        <tbody>
          {caches.map(([name, cache]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="number">{count(cache.hits)}</td>
              <td class="number">{count(cache.misses)}</td>
              <td class="number">{cache.hit_ratio === null ? <Unknown why="nothing asked" /> : percent(cache.hit_ratio)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
