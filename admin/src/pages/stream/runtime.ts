/** What a worker reports of a stream, in words. */
import type { Schemas } from "../../api/client";
import { duration } from "../../format/units";
import { plural, words } from "../../format/words";

export type Runtime = Schemas["RuntimeAnswer"];
export type Repairs = Schemas["RepairsAnswer"];

/** Return the repairs that were made, in words. Counts of nothing are left out, and so is an unknown drift. */
export function repairTexts(of: Repairs | null): string[] {
  if (!of) return [];
  const texts: [number | null, (value: number) => string][] = [
    [of.silence_ms, (ms) => `${(ms / 1000).toFixed(1)} s of silence put in for missing sound`],
    [of.trimmed_ms, (ms) => `${(ms / 1000).toFixed(1)} s of sound cut that came twice or too early`],
    [of.drift_ppm, (ppm) => `the sender's sound clock is ${Math.abs(ppm)} ppm ${ppm > 0 ? "fast" : "slow"}`],
    [of.pictures_repeated, (n) => `${plural(n, "picture")} repeated`],
    [of.pictures_dropped, (n) => `${plural(n, "picture")} dropped, more than the ladder has`],
    [of.timestamp_jumps, (n) => `${plural(n, "jump")} of time stamps closed`],
    [of.format_changes, (n) => `${plural(n, "change")} of format followed`],
    [of.damaged_packets, (n) => `${plural(n, "damaged packet")} left out`],
    [of.restarts_avoided, (n) => `${plural(n, "pause")} of the source bridged without a restart`],
  ];
  return texts.flatMap(([value, say]) => (value ? [say(value)] : []));
}

/** Return a track in words: "programme 1, eng, 1920x1080 30 fps". */
export function trackText(track: Schemas["SourceTrackAnswer"]): string {
  return [track.program === null ? "" : `programme ${track.program}`, track.details, track.language ?? "", track.title ?? "", track.is_default ? "default" : ""]
    .filter(Boolean)
    .join(", ");
}

/** Return how long an outage lasted, or lasts. */
export function outageText({ since_ms, until_ms }: Schemas["Outage"], nowMs: number): string {
  return until_ms === null ? `lasts for ${duration(nowMs - since_ms)} so far` : duration(until_ms - since_ms);
}

/** Return how a closed issue ended. */
export function closeText(reason: Schemas["CloseReason"] | null): string {
  if (reason === "unknown") return "could not be measured any more";
  return reason === "stopped" ? "the stream was stopped" : words(reason);
}
