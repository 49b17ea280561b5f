/** Tracks of the source, what was repaired, and when the stream was down. */
import { localTime } from "../../format/units";
import { nowMs } from "../../live/clock";
import { Badge, Empty, Panel, Time } from "../../ui/parts";
import { Table, type Column } from "../../ui/table";
import type { Schemas } from "../../api/client";
import { outageText, repairTexts, trackText, type Runtime } from "./runtime";

type Track = Schemas["SourceTrackAnswer"];
const TRACKS: Column<Track>[] = [
  { key: "track", name: "Track", head: true, cell: (each) => `${each.kind} ${each.track}` },
  { key: "codec", name: "Codec", cell: (each) => each.codec },
  { key: "details", name: "Details", wide: true, cell: (each) => <span class="break">{trackText(each)}</span> },
  { key: "played", name: "Played", cell: (each) => (each.is_played ? <Badge tone="good">played</Badge> : <span class="soft">not played</span>) },
];

export function Tracks({ of }: { of: Runtime }) {
  return (
    <Panel title="Tracks of the source" flush>
      <Table
        caption="Tracks of the source" columns={TRACKS} rows={of.tracks} rowKey={(each) => `${each.kind} ${each.program} ${each.track}`}
        empty={<Empty title="No tracks are known.">They are read when the source is opened.</Empty>}
      />
    </Panel>
  );
}

export function Repairs({ of }: { of: Runtime }) {
  const texts = repairTexts(of.repairs);
  return (
    <Panel title="Repaired in this run">
      {texts.length ? <ul class="stream-list">{texts.map((text) => <li key={text}>{text}</li>)}</ul> : <p class="soft">{of.repairs ? "Nothing had to be repaired." : "Unknown: nothing runs."}</p>}
    </Panel>
  );
}

export function Outages({ of }: { of: Runtime }) {
  const newest = [...of.outages].reverse();
  return (
    <Panel title="Outages, newest first">
      {newest.length ? (
        <ul class="stream-list">
          {newest.map((each) => (
            <li key={each.since_ms}>
              <Time at={each.since_ms} />: {each.until_ms === null ? <Badge tone="bad" title={localTime(each.since_ms)}>{outageText(each, nowMs.value)}</Badge> : outageText(each, each.until_ms)}
            </li>
          ))}
        </ul>
      ) : (
        <p class="soft">None is known.</p>
      )}
    </Panel>
  );
}
