/** Hours and days of the address. */
export const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Return the beginning of the hour in the address, or null for the present one. */
export function hourOf(text: string | undefined): number | null {
  if (!text || !/^\d{12,13}$/.test(text)) return null;
  return Math.floor(Number(text) / HOUR_MS) * HOUR_MS;
}

/** Return the hour for people: "2026-12-01 14:00, so far". */
export const hourText = (localTime: string, isNow: boolean): string => `${localTime.slice(0, 16)}${isNow ? ", so far" : ""}`;

/** Return the UTC day in the address, or the present one. */
export function dayOf(text: string | undefined, nowMs: number): string {
  const today = new Date(nowMs).toISOString().slice(0, 10);
  return text && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && text < today ? text : today;
}

/** Return the day that is `by` days later. */
export const dayAfter = (day: string, by: number): string => new Date(Date.parse(day) + by * DAY_MS).toISOString().slice(0, 10);
