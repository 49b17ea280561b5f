/** The values of the form of a stream as somebody types them, from and to the API's fields. */
import type { Schemas } from "../../../api/client";
import { FPS_MAX_DEFAULT } from "./bounds";

export type Settings = Schemas["StreamSettingsAnswer"];
export type Ingest = Schemas["IngestModel"];
export type CreateRequest = Schemas["CreateStreamRequest"];

export const SOURCE_KINDS = ["test", "file", "pull", "rtmp", "srt"] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

export interface SourceValues {
  kind: SourceKind;
  path: string;
  url: string;
  port: string;
  program: string;
  audioTrack: string;
}

export interface LadderValues {
  name: string;
  width: string;
  height: string;
  videoKbps: string;
  audioKbps: string;
}

export interface FormValues {
  title: string;
  streamId: string;
  ingest: SourceValues;
  backups: SourceValues[];
  slate: boolean;
  frozenAfterS: string;
  profile: string;
  ladder: LadderValues[];
  fpsMax: string;
  latency: "normal" | "low";
  segmentSeconds: string;
  windowMinutes: string;
  /** Points a minute, such as "12.5". */
  price: string;
  leaseS: string;
  viewersMax: string;
  binding: "off" | "warn" | "enforce";
}

export const newSource = (kind: SourceKind = "test"): SourceValues => ({ kind, path: "", url: "", port: "", program: "", audioTrack: "" });
export const newRendition = (): LadderValues => ({ name: "", width: "", height: "", videoKbps: "", audioKbps: "128" });

/** The API's defaults. */
export const NEW_STREAM: FormValues = {
  title: "", streamId: "", ingest: newSource(), backups: [], slate: false, frozenAfterS: "0", profile: "hd",
  ladder: [{ name: "720p", width: "1280", height: "720", videoKbps: "2800", audioKbps: "128" }], fpsMax: "30",
  latency: "normal", segmentSeconds: "2", windowMinutes: "5", price: "60", leaseS: "10", viewersMax: "0", binding: "off",
};

const text = (value: number | null | undefined): string => (value === null || value === undefined ? "" : String(value));
const thousandths = (value: number): string => String(value / 1000);

function sourceValues(source: Ingest): SourceValues {
  return {
    kind: source.mode === "listen" ? (source.protocol ?? "rtmp") : source.mode,
    path: source.path ?? "",
    url: source.url ?? "",
    port: text(source.port),
    program: text(source.program),
    audioTrack: text(source.audio_track),
  };
}

/** Return the values of a stream. */
export function valuesOf(stream: Settings): FormValues {
  return {
    title: stream.title,
    streamId: stream.stream_id,
    ingest: sourceValues(stream.ingest),
    backups: stream.backups.map(sourceValues),
    slate: stream.slate,
    frozenAfterS: text(stream.frozen_after_s),
    profile: stream.abr_profile,
    ladder: stream.custom_renditions.length ? stream.custom_renditions.map(renditionValues) : NEW_STREAM.ladder,
    fpsMax: text(stream.fps_max),
    latency: stream.latency,
    segmentSeconds: text(stream.segment_seconds),
    windowMinutes: text(stream.window_minutes),
    price: thousandths(stream.rate_millipoints_per_minute),
    leaseS: thousandths(stream.lease_ms),
    viewersMax: text(stream.viewers_max),
    binding: stream.session_binding,
  };
}

function renditionValues(of: Schemas["CustomRendition"]): LadderValues {
  return { name: of.name, width: text(of.width), height: text(of.height), videoKbps: thousandths(of.video_bps), audioKbps: thousandths(of.audio_bps) };
}

const number = (value: string): number => Number(value.trim());
const chosen = (value: string): number | null => (value.trim() ? number(value) : null);
const milli = (value: string): number => Math.round(number(value.replaceAll(",", "")) * 1000);

/** Return a source with all its fields, as the API returns it. */
export function sourceOf(of: SourceValues): Ingest {
  const listens = of.kind === "rtmp" || of.kind === "srt";
  return {
    mode: of.kind === "rtmp" || of.kind === "srt" ? "listen" : of.kind,
    url: of.kind === "pull" ? of.url.trim() : null,
    path: of.kind === "file" ? of.path : null,
    protocol: listens ? (of.kind as "rtmp" | "srt") : null,
    port: of.kind === "srt" ? number(of.port) : null,
    program: of.kind === "test" || of.kind === "rtmp" ? null : chosen(of.program),
    audio_track: of.kind === "test" ? null : chosen(of.audioTrack),
  };
}

/** Return the request of values without faults. */
export function requestOf(values: FormValues): Omit<CreateRequest, "stream_id"> {
  const isCustom = values.profile === "custom";
  return {
    title: values.title,
    ingest: sourceOf(values.ingest),
    backups: values.backups.map(sourceOf),
    slate: values.slate,
    frozen_after_s: number(values.frozenAfterS),
    abr_profile: values.profile as CreateRequest["abr_profile"],
    custom_renditions: isCustom
      ? values.ladder.map((each) => ({
          name: each.name, width: number(each.width), height: number(each.height), video_bps: milli(each.videoKbps), audio_bps: milli(each.audioKbps),
        }))
      : [],
    fps_max: isCustom ? number(values.fpsMax) : FPS_MAX_DEFAULT,
    latency: values.latency,
    segment_seconds: number(values.segmentSeconds),
    window_minutes: number(values.windowMinutes),
    rate_millipoints_per_minute: milli(values.price),
    lease_ms: milli(values.leaseS),
    viewers_max: number(values.viewersMax),
    session_binding: values.binding,
  };
}
