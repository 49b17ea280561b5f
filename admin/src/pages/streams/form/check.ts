/** What is wrong with the values of a form, by the API's rules and by the API's names of fields. */
import { plural } from "../../../format/words";
import { parsePoints } from "../../../format/points";
import * as bounds from "./bounds";
import type { FormValues, LadderValues, SourceValues } from "./values";

/** By field, such as `ingest.url`, `backups.0.port`, `custom_renditions.1.name`. */
export type Faults = Record<string, string>;
interface Range { min: number; max: number }

// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;
const PART_BYTES_MAX = 255;
const bytes = (text: string): number => new TextEncoder().encode(text).length;

function whole(value: string, { min, max }: Range, unit = ""): string | null {
  const found = /^\d{1,10}$/.test(value.trim()) ? Number(value.trim()) : NaN;
  return found >= min && found <= max ? null : `Give a whole number from ${min} to ${max}${unit}.`;
}

/** Return what is wrong, empty if nothing is. */
export function faultsOf(values: FormValues, isNew: boolean): Faults {
  const faults: Faults = {};
  const note = (field: string, fault: string | null): void => {
    if (fault) faults[field] ??= fault;
  };
  if (!values.title) note("title", "Give the stream a title.");
  else if ([...values.title].length > bounds.TITLE_CHARS_MAX) note("title", `A title has at most ${bounds.TITLE_CHARS_MAX} characters.`);
  else if (CONTROLS.test(values.title)) note("title", "A title has no line breaks and no characters that turn the direction of text.");
  if (isNew && values.streamId && !bounds.STREAM_ID.test(values.streamId)) {
    note("stream_id", "An id has 1 to 63 lower-case letters, digits and -, and begins with a letter or a digit.");
  }
  const sources = [values.ingest, ...values.backups];
  sources.forEach((source, n) => {
    for (const [field, fault] of Object.entries(sourceFaults(source))) note(`${n === 0 ? "ingest" : `backups.${n - 1}`}.${field}`, fault);
  });
  const listening = sources.flatMap((source, n) => (source.kind === "rtmp" || source.kind === "srt" ? [n] : []));
  for (const n of listening.slice(1)) note(`backups.${n - 1}.mode`, "Only one source of a stream may wait for a sender, since address and key belong to the stream.");

  const copies = values.profile === "source";
  if (copies && sources.some((source) => source.kind === "test")) note("abr_profile", "The profile “source” cannot copy a test picture: choose one that encodes.");
  if (values.frozenAfterS.trim() !== "0") {
    note("frozen_after_s", whole(values.frozenAfterS, bounds.FROZEN_AFTER_S) && `Give 0 for off, or ${bounds.FROZEN_AFTER_S.min} to ${bounds.FROZEN_AFTER_S.max} s.`);
    if (copies) note("frozen_after_s", "The profile “source” decodes no pictures, so it sees no frozen one: give 0.");
  }
  if (values.profile === "custom") {
    note("fps_max", whole(values.fpsMax, bounds.FPS_MAX));
    Object.entries(ladderFaults(values.ladder)).forEach(([field, fault]) => note(field, fault));
  }
  note("segment_seconds", whole(values.segmentSeconds, bounds.SEGMENT_SECONDS, " s"));
  if (values.latency === "low" && values.segmentSeconds.trim() !== "1") note("segment_seconds", "Low latency needs segments of 1 s.");
  note("window_minutes", whole(values.windowMinutes, bounds.WINDOW_MINUTES, " minutes"));
  if (!faults["window_minutes"] && !faults["segment_seconds"]) note("window_minutes", windowFault(Number(values.windowMinutes), Number(values.segmentSeconds), copies));

  const price = parsePoints(values.price);
  if (typeof price !== "number") note("rate_millipoints_per_minute", price.fault);
  else if (price < 0 || price > bounds.RATE.max) note("rate_millipoints_per_minute", `Give 0 to ${bounds.RATE.max / 1000} points a minute.`);
  const lease = parsePoints(values.leaseS);
  if (typeof lease !== "number" || lease < bounds.LEASE_MS.min || lease > bounds.LEASE_MS.max) {
    note("lease_ms", `Give ${bounds.LEASE_MS.min / 1000} to ${bounds.LEASE_MS.max / 1000} s.`);
  }
  note("viewers_max", whole(values.viewersMax, bounds.VIEWERS_MAX));
  return faults;
}

/** Return the faults of a source by its fields. */
export function sourceFaults(source: SourceValues): Faults {
  const faults: Faults = {};
  if (source.kind === "file") {
    const fault = pathFault(source.path);
    if (fault) faults["path"] = fault;
  }
  if (source.kind === "pull") {
    const url = source.url.trim();
    if (!/^(https|rtmps|srt):\/\/[^/\s]+/i.test(url)) faults["url"] = "Give an address that begins with https://, rtmps:// or srt://.";
    else if (url.length > bounds.SOURCE_CHARS_MAX) faults["url"] = `An address has at most ${bounds.SOURCE_CHARS_MAX} characters.`;
    else if (/[^!-~]/.test(url)) faults["url"] = "An address has no spaces, and no letters outside of ASCII.";
  }
  if (source.kind === "srt") {
    const fault = whole(source.port, bounds.PORT);
    if (fault) faults["port"] = fault;
  }
  const takesProgram = source.kind === "file" || source.kind === "pull" || source.kind === "srt";
  if (takesProgram && source.program.trim()) {
    const fault = whole(source.program, bounds.PROGRAM);
    if (fault) faults["program"] = fault;
  }
  if (source.kind !== "test" && source.audioTrack.trim()) {
    const fault = whole(source.audioTrack, bounds.AUDIO_TRACK);
    if (fault) faults["audio_track"] = fault;
  }
  return faults;
}

function pathFault(path: string): string | null {
  if (!path) return "Give the name of a file in the media directory, such as films/one.mp4.";
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part.startsWith("."))) return "No part of the path is empty or begins with a dot.";
  if (CONTROLS.test(path)) return "The path has no control characters.";
  if (parts.some((part) => bytes(part) > PART_BYTES_MAX)) return `A part of the path has at most ${PART_BYTES_MAX} bytes.`;
  return bytes(path) > bounds.SOURCE_CHARS_MAX ? `A path has at most ${bounds.SOURCE_CHARS_MAX} bytes.` : null;
}

function ladderFaults(ladder: readonly LadderValues[]): Faults {
  const faults: Faults = {};
  if (ladder.length < 1 || ladder.length > bounds.RENDITIONS_MAX) faults["custom_renditions"] = `A ladder has 1 to ${bounds.RENDITIONS_MAX} renditions.`;
  ladder.forEach((each, n) => {
    const note = (field: string, fault: string | null): void => {
      if (fault) faults[`custom_renditions.${n}.${field}`] = fault;
    };
    note("name", bounds.LADDER.name.test(each.name) && each.name !== "source" ? null : "1 to 16 lower-case letters and digits, not “source”.");
    if (ladder.findIndex((other) => other.name === each.name) < n) note("name", "Another rendition has this name.");
    for (const size of ["width", "height"] as const) {
      note(size, whole(each[size], bounds.LADDER[size]) ?? (Number(each[size]) % 2 ? "Give an even number." : null));
    }
    note("video_bps", kbpsFault(each.videoKbps, bounds.LADDER.video_bps));
    note("audio_bps", kbpsFault(each.audioKbps, bounds.LADDER.audio_bps));
    const above = ladder[n - 1];
    if (above && !faults[`custom_renditions.${n}.video_bps`] && Number(each.videoKbps) >= Number(above.videoKbps)) {
      note("video_bps", "The best comes first: each has a lower bitrate than the one above.");
    }
  });
  return faults;
}

function kbpsFault(value: string, { min, max }: Range): string | null {
  const found = parsePoints(value);
  return typeof found === "number" && found >= min && found <= max ? null : `Give ${min / 1000} to ${max / 1000} kbit/s.`;
}

/** Return what is wrong with a window: players fetch its playlist whole. */
export function windowFault(minutes: number, segmentS: number, copies: boolean): string | null {
  const shortest = copies ? bounds.COPIED_SEGMENT_S_MIN : segmentS;
  if (Math.ceil((minutes * 60) / shortest) <= bounds.ENTRIES_MAX) return null;
  const allowed = Math.floor((bounds.ENTRIES_MAX * shortest) / 60);
  if (copies) return `With the profile “source” a window has at most ${plural(allowed, "minute")}.`;
  return `With segments of ${segmentS} s a window has at most ${plural(allowed, "minute")}.`;
}
