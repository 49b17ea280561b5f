/** UTC days and months of the accounts, and local days of filters. */

const DAY_MS = 86_400_000;

/** Return the UTC day of a time: "2026-12-01". */
export function utcDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Return the UTC day that is `days` after a day. */
export function dayAfter(day: string, days: number): string {
  return utcDay(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS);
}

/** Whether a text is a day of the calendar from 2000 on. */
export function isDay(text: string | undefined): text is string {
  if (!text || !/^20\d\d-\d\d-\d\d$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && utcDay(at) === text;
}

/** Return when a local day begins, or undefined if the text is no day. `days` later with `days`. */
export function localDayStart(day: string | undefined, days = 0): number | undefined {
  if (!isDay(day)) return undefined;
  const [year, month, date] = day.split("-").map(Number) as [number, number, number];
  return new Date(year, month - 1, date + days).getTime();
}
