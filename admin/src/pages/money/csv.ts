/** Tables as CSV files that a spreadsheet opens without running anything in them. */

export interface CsvColumn<T> {
  name: string;
  value: (row: T) => string | number | boolean | null | undefined;
}

/** The most rows of a file. */
export const ROWS_MAX = 10_000;

const NUMBER = /^[+-]?\d+(\.\d+)?$/;

/**
 * Return a value as a cell (RFC 4180). A spreadsheet runs text that begins with = + - @ as a formula, so such text gets
 * an apostrophe. Plain numbers such as -0.250 stay numbers. A null is an empty cell.
 */
export function csvCell(value: string | number | boolean | null | undefined): string {
  let text = value === null || value === undefined ? "" : String(value);
  // A tab, a line break or a space before the sign does not stop every spreadsheet.
  if (/^[\s\0]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) && !NUMBER.test(text)) text = `'${text}`;
  return /[",\r\n\t]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Return rows as CSV with a line of names. */
export function csvText<T>(columns: readonly CsvColumn<T>[], rows: readonly T[]): string {
  const lines = rows.map((row) => columns.map((column) => csvCell(column.value(row))).join(","));
  return [columns.map((column) => csvCell(column.name)).join(","), ...lines, ""].join("\r\n");
}

/** Return a time as text for a file, in UTC: "2026-12-01T13:05:09.120Z". */
export function csvTime(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : new Date(ms).toISOString();
}
