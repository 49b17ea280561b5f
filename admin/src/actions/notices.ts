/** Results of actions, shown on every page until they are dismissed. */
import { signal } from "@preact/signals";
import type { ApiError } from "../api/client";

export interface Notice {
  id: number;
  kind: "done" | "failed";
  title: string;
  text: string;
  error?: ApiError | undefined;
}

const NOTICES_MAX = 5;
/** A success is read at a glance; a failure stays until somebody dismisses it. */
const DONE_MS = 8_000;
let last = 0;

export const notices = signal<Notice[]>([]);

/** Show a result. The oldest go when there are too many. */
export function notify(notice: Omit<Notice, "id">): void {
  const id = (last += 1);
  notices.value = [...notices.value, { ...notice, id }].slice(-NOTICES_MAX);
  if (notice.kind === "done") window.setTimeout(() => dismiss(id), DONE_MS);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((each) => each.id !== id);
}
