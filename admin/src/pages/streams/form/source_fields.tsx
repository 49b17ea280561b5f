/** The source of a stream: its kinds explained, and what each needs. */
import { useId } from "preact/hooks";
import { SelectField, TextField } from "../../../ui/fields";
import type { Faults } from "./check";
import { SOURCE_KINDS, type SourceKind, type SourceValues } from "./values";

export const KINDS: Record<SourceKind, { name: string; text: string }> = {
  test: { name: "Test picture", text: "A moving pattern with a clock and a tone. It needs nothing, and is good for a first try." },
  file: { name: "File", text: "A video file in the media directory of the worker, played in a loop. MP4, MOV, Matroska, WebM, MPEG-TS and others." },
  pull: { name: "Pull from an address", text: "The worker fetches an HLS playlist or MPEG-TS by https, or a live sender by rtmps or srt." },
  rtmp: { name: "Listen for RTMP", text: "OBS and others send here, with a key. H.264 with AAC or MP3." },
  srt: { name: "Listen for SRT", text: "OBS, ffmpeg and encoders send here, encrypted with the key. Also HEVC, and better over lossy networks." },
};

interface Props {
  /** The API's name of the source: `ingest`, `backups.0`. */
  field: string;
  value: SourceValues;
  onChange: (value: SourceValues) => void;
  faults: Faults;
}

/** The first source, with its kinds as a choice of cards. */
export function FirstSource({ field, value, onChange, faults }: Props) {
  const name = useId();
  return (
    <fieldset class="stack">
      <legend>Where do picture and sound come from?</legend>
      <div class="source-kinds">
        {SOURCE_KINDS.map((kind) => (
          <label key={kind} class="source-kind">
            <input type="radio" name={name} checked={value.kind === kind} onChange={() => onChange({ ...value, kind })} />
            <span>
              <strong>{KINDS[kind].name}</strong>
              <span class="small soft source-text">{KINDS[kind].text}</span>
            </span>
          </label>
        ))}
      </div>
      {faults[`${field}.mode`] && <p class="fault">{faults[`${field}.mode`]}</p>}
      <SourceDetails field={field} value={value} onChange={onChange} faults={faults} />
    </fieldset>
  );
}

/** A backup, with its kind in a list. */
export function BackupSource({ field, value, onChange, faults }: Props) {
  return (
    <>
      <SelectField
        label="Kind"
        value={value.kind}
        hint={KINDS[value.kind].text}
        fault={faults[`${field}.mode`]}
        onChange={(kind) => onChange({ ...value, kind: kind as SourceKind })}
        options={SOURCE_KINDS.map((kind) => ({ value: kind, label: KINDS[kind].name }))}
      />
      <SourceDetails field={field} value={value} onChange={onChange} faults={faults} />
    </>
  );
}

function SourceDetails({ field, value, onChange, faults }: Props) {
  const set = (changes: Partial<SourceValues>): void => onChange({ ...value, ...changes });
  const { kind } = value;
  return (
    <>
      {kind === "file" && (
        <TextField
          label="Path in the media directory" value={value.path} fault={faults[`${field}.path`]} spellcheck={false} placeholder="films/one.mp4"
          hint="The directory is the setting TOLLCAST_MEDIA_DIR of the worker. Every worker needs the file." onChange={(path) => set({ path })}
        />
      )}
      {kind === "pull" && (
        <TextField
          label="Address" value={value.url} fault={faults[`${field}.url`]} spellcheck={false} placeholder="https://example.com/live/index.m3u8" autocomplete="off"
          hint="Begins with https://, rtmps:// or srt://. Only public hosts, unless the platform's settings allow a network." onChange={(url) => set({ url })}
        />
      )}
      {kind === "rtmp" && <p class="small soft">Nothing to give here: the stream's page shows the server and the stream key for OBS once the stream exists.</p>}
      {kind === "srt" && (
        <TextField
          label="Port" value={value.port} fault={faults[`${field}.port`]} inputMode="numeric" placeholder="9000"
          hint="Each stream that listens for SRT has a port of its own, from 1024 to 65535. The stream's page shows the address." onChange={(port) => set({ port })}
        />
      )}
      {kind !== "test" && (
        <details>
          <summary class="small soft">Choose a programme or a sound track</summary>
          <div class="form-columns">
            {kind !== "rtmp" && (
              <TextField label="Programme" value={value.program} fault={faults[`${field}.program`]} inputMode="numeric" hint="The number of an MPEG-TS programme. Empty: the first with a picture." onChange={(program) => set({ program })} />
            )}
            <TextField label="Sound track" value={value.audioTrack} fault={faults[`${field}.audio_track`]} inputMode="numeric" hint="Counted from 1. Empty: the default one." onChange={(audioTrack) => set({ audioTrack })} />
          </div>
        </details>
      )}
    </>
  );
}
