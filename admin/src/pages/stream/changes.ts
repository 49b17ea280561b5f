/** What an edit of a stream's settings changes, and how two versions of them differ. */
import { points } from "../../format/points";
import { plural } from "../../format/words";
import { requestOf, valuesOf, type FormValues, type Settings } from "../streams/form/values";

export type Request = ReturnType<typeof requestOf>;
type Name = keyof Request;

/** The names of the fields on the page. */
export const NAMES: Record<Name, string> = {
  title: "Title", ingest: "Source", backups: "Backups", slate: "Still picture", frozen_after_s: "Frozen after", abr_profile: "Qualities",
  custom_renditions: "Ladder", fps_max: "Pictures a second, at most", latency: "Delay", segment_seconds: "Segment", window_minutes: "Window",
  rate_millipoints_per_minute: "Price", lease_ms: "Lease", viewers_max: "Viewers at most", session_binding: "Another device",
};
const FIELDS = Object.keys(NAMES) as Name[];

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Whether somebody else has saved since `base`. Right after an own save, the version of the last poll is the older one. */
export const isOutdated = (base: Pick<Settings, "version">, stored: Pick<Settings, "version">): boolean => stored.version > base.version;

/** Return a stream's settings as the request that would set them. */
export const requestOfStream = (stream: Settings): Request => requestOf(valuesOf(stream));

/** Return the fields in which a request differs from a stream. */
export function changesOf(stream: Settings, values: FormValues): Partial<Request> {
  const [before, after] = [requestOfStream(stream), requestOf(values)];
  return Object.fromEntries(FIELDS.filter((name) => !same(before[name], after[name])).map((name) => [name, after[name]]));
}

export interface Difference {
  name: Name;
  /** What was there when somebody began to edit. */
  before: string;
  /** What this page would save. */
  mine: string;
  /** What another operator has saved. */
  theirs: string;
  /** Both changed it, to different values. */
  isConflict: boolean;
}

/** Return the fields that either side has changed since `base`. */
export function differences(base: Settings, mine: FormValues, theirs: Settings): Difference[] {
  const [before, wanted, stored] = [requestOfStream(base), requestOf(mine), requestOfStream(theirs)];
  return FIELDS.filter((name) => !same(before[name], wanted[name]) || !same(before[name], stored[name])).map((name) => ({
    name,
    before: valueText(name, before[name]),
    mine: valueText(name, wanted[name]),
    theirs: valueText(name, stored[name]),
    isConflict: !same(before[name], wanted[name]) && !same(before[name], stored[name]) && !same(wanted[name], stored[name]),
  }));
}

/** Return their version with my changes, and for fields in `theirsIn` their value. */
export function merged(base: Settings, mine: FormValues, theirs: Settings, theirsIn: ReadonlySet<Name>): FormValues {
  const [before, wanted, stored] = [requestOfStream(base), requestOf(mine), requestOfStream(theirs)];
  const picked = Object.fromEntries(FIELDS.map((name) => [name, same(before[name], wanted[name]) || theirsIn.has(name) ? stored[name] : wanted[name]]));
  return valuesOf({ ...theirs, ...picked } as Settings);
}

/** Return a value of a setting in words. */
export function valueText(name: Name, value: unknown): string {
  if (name === "ingest") return sourceText(value as Request["ingest"]);
  if (name === "backups") return (value as NonNullable<Request["backups"]>).map(sourceText).join("; ") || "none";
  if (name === "custom_renditions") return (value as NonNullable<Request["custom_renditions"]>).map((each) => `${each.name} ${each.width}×${each.height} ${each.video_bps / 1000}+${each.audio_bps / 1000} kbit/s`).join("; ") || "none";
  if (name === "rate_millipoints_per_minute") return `${points(value as number)} points a minute`;
  if (name === "lease_ms") return `${(value as number) / 1000} s`;
  if (name === "segment_seconds") return `${value} s`;
  if (name === "window_minutes") return plural(value as number, "minute");
  if (name === "frozen_after_s") return value === 0 ? "off" : `${value} s`;
  if (name === "viewers_max") return value === 0 ? "no limit" : String(value);
  if (name === "slate") return value ? "yes" : "no";
  return String(value);
}

function sourceText(source: Request["ingest"]): string {
  const what = source.mode === "listen" ? `listen ${source.protocol}${source.port ? ` at port ${source.port}` : ""}` : source.mode;
  return [what, source.url ?? source.path ?? "", source.program ? `programme ${source.program}` : "", source.audio_track ? `sound track ${source.audio_track}` : ""].filter(Boolean).join(", ");
}
