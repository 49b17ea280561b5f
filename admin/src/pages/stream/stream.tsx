/** The page of one stream: what happens now, what ffmpeg said, where to send, its settings and its sessions. */
import { useRoute } from "preact-iso";
import { read, type Loaded, type Unchanged } from "../../api/client";
import { count, millis } from "../../format/units";
import { usePoll, type Polled } from "../../live/poll";
import { useAddress } from "../../ui/address";
import { Badge, Empty, Freshness, PageHead, Points, Refusal } from "../../ui/parts";
import { StreamCommands } from "../streams/commands";
import type { Settings } from "../streams/form/values";
import { stateText, stateTone, troubleOf, type StreamState } from "../streams/stream_state";
import { IngestTab } from "./ingest_tab";
import { LogTab } from "./log_tab";
import { NowTab } from "./now_tab";
import { SessionsTab } from "./sessions_tab";
import { SettingsTab } from "./settings_tab";
import "../streams/streams.css";
import "./stream.css";

const TABS = [
  { key: "now", name: "Now" },
  { key: "log", name: "Log" },
  { key: "ingest", name: "Ingest" },
  { key: "settings", name: "Settings" },
  { key: "sessions", name: "Sessions" },
] as const;

/** Read the settings. Operators get them; the document has the answer of viewers too. */
const readSettings = async (stream_id: string, ifNoneMatch?: string, signal?: AbortSignal): Promise<Loaded<Settings> | Unchanged> =>
  (await read("/streams/{stream_id}", { params: { stream_id }, ifNoneMatch, signal })) as Loaded<Settings> | Unchanged;

async function readState(stream_id: string, ifNoneMatch?: string, signal?: AbortSignal): Promise<Loaded<StreamState> | Unchanged> {
  const found = await read("/monitoring/stream-states", { query: { stream_id }, ifNoneMatch, signal });
  if (found.unchanged) return found;
  const [state] = found.data.items;
  if (!state) throw new Error("the list of one stream is empty");
  return { ...found, data: state };
}

export function Stream() {
  const { params } = useRoute();
  const id = params["id"] ?? "";
  return <StreamOf key={id} id={id} />;
}

function StreamOf({ id }: { id: string }) {
  const { query } = useAddress();
  const settings = usePoll(`settings ${id}`, (etag, signal) => readSettings(id, etag, signal));
  const state = usePoll(`state ${id}`, (etag, signal) => readState(id, etag, signal));
  const stream = settings.data.value;
  const error = settings.error.value;
  if (!stream) {
    if (error?.status === 404) {
      return (
        <>
          <PageHead title="No such stream" />
          <Empty title={error.message}>It may be archived. <a href="/admin/streams">Show all streams</a></Empty>
        </>
      );
    }
    return (
      <>
        <PageHead title={id} />
        {error ? <Refusal error={error} title="The stream could not be loaded. It is tried again." /> : <div class="empty" role="status">Loading …</div>}
      </>
    );
  }
  const changed = async (): Promise<void> => {
    await Promise.all([settings.reload(), state.reload()]);
  };
  const tab = TABS.find((each) => each.key === query["tab"])?.key ?? "now";
  return (
    <>
      <PageHead title={stream.title}>
        <StreamCommands stream={stream} changed={changed} />
      </PageHead>
      <Head stream={stream} state={state} />
      {error?.status === 404 && <Refusal error={error} title="The stream has been archived." />}
      <nav class="tabs" aria-label="Parts of the stream">
        {TABS.map(({ key, name }) => (
          <a key={key} href={`/admin/streams/${id}${key === "now" ? "" : `?tab=${key}`}`} aria-current={key === tab ? "page" : undefined}>{name}</a>
        ))}
      </nav>
      {tab === "now" && <NowTab stream={stream} state={state} />}
      {tab === "log" && <LogTab id={id} />}
      {tab === "ingest" && <IngestTab stream={stream} changed={changed} />}
      {tab === "settings" && <SettingsTab polled={settings} stream={stream} changed={changed} />}
      {tab === "sessions" && <SessionsTab id={id} />}
    </>
  );
}

function Head({ stream, state }: { stream: Settings; state: Polled<StreamState> }) {
  const now = state.data.value;
  const trouble = now ? troubleOf(now) : null;
  return (
    <div class="stream-head row">
      <Badge tone={stateTone(now ?? stream)}>{stateText(now ?? stream)}</Badge>
      <span><b>{count(now?.viewers)}</b> <span class="soft">{now?.viewers === 1 ? "viewer" : "viewers"}{stream.viewers_max > 0 && ` of ${count(stream.viewers_max)}`}</span></span>
      <span><b><Points of={now?.millipoints_per_minute} /></b> <span class="soft">points a minute</span></span>
      {now?.manifest_age_ms != null && <span class="soft">newest media {millis(now.manifest_age_ms)} old</span>}
      <span class="soft">price <Points of={stream.rate_millipoints_per_minute} /></span>
      <code class="soft">{stream.stream_id}</code>
      <Freshness of={state} />
      {trouble && (
        <p class="stream-trouble break">
          {trouble.title && <Badge tone={trouble.tone}>{trouble.title}</Badge>} {trouble.text}
        </p>
      )}
    </div>
  );
}
