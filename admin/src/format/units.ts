/** How times, durations, sizes and rates are written. Times are local; `utc` is for their tooltips. */
import { UNKNOWN } from "./points";

type Known = number | null | undefined;
const isKnown = (value: Known): value is number => value !== null && value !== undefined;
const two = (value: number): string => String(value).padStart(2, "0");

/** Return the local time to the second: "2026-12-01 14:05:09". */
export function localTime(ms: Known): string {
  if (!isKnown(ms)) return UNKNOWN;
  const at = new Date(ms);
  return `${localDay(ms)} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Return the local day: "2026-12-01". */
export function localDay(ms: number): string {
  const at = new Date(ms);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** Return the time in UTC, for tooltips: "2026-12-01 13:05:09.120 UTC". */
export function utc(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").replace("Z", " UTC");
}

/** Return a duration: "8 s", "3:11", "1:02:11", "3 d 4 h". Negative ones count as 0. */
export function duration(ms: Known): string {
  if (!isKnown(ms)) return UNKNOWN;
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  const h = Math.floor(s / 3600);
  if (h >= 48) return `${Math.floor(h / 24)} d ${h % 24} h`;
  return h ? `${h}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

/** Return milliseconds for small figures: "340 ms", "2.4 s". */
export function millis(ms: Known): string {
  if (!isKnown(ms)) return UNKNOWN;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

/** Return a count with separators: "12,345". */
export function count(value: Known): string {
  return isKnown(value) ? Math.round(value).toLocaleString("en-US") : UNKNOWN;
}

function scaled(value: number, units: readonly string[], step: number): string {
  let unit = 0;
  while (Math.abs(value) >= step && unit < units.length - 1) {
    value /= step;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${units[unit]}`;
}

/** Return a size in decimal units: "1.2 MB". */
export function bytes(value: Known): string {
  return isKnown(value) ? scaled(value, ["B", "kB", "MB", "GB", "TB"], 1000) : UNKNOWN;
}

/** Return a bit rate: "4.2 Mbit/s". */
export function bitrate(bps: Known): string {
  return isKnown(bps) ? scaled(bps, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"], 1000) : UNKNOWN;
}

/** Return a ratio as per cent: "97.5 %". */
export function percent(ratio: Known): string {
  return isKnown(ratio) ? `${(ratio * 100).toFixed(1)} %` : UNKNOWN;
}
