/** Names of the API in the words of the pages. */

/** Return a name such as `stream_stopped` as words: "stream stopped". */
export function words(name: string | null | undefined): string {
  return (name ?? "").replaceAll("_", " ");
}

/** Return a number with its noun: "1 session", "12 sessions". */
export function plural(value: number, noun: string): string {
  return `${value.toLocaleString("en-US")} ${noun}${value === 1 ? "" : "s"}`;
}
