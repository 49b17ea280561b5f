/** Data of the API that is read again and again while a page shows it. */
import { signal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { shownError, type ApiError, type Loaded, type Unchanged } from "../api/client";

export const VISIBLE_MS = 2_000;
export const HIDDEN_MS = 10_000;
const RETRY_MS_MAX = 10_000;

/** What was loaded last, how old it is, and why the last try failed. */
export interface Polled<T> {
  data: ReadonlySignal<T | undefined>;
  /** The ETag of `data`, for `If-Match`. */
  etag: ReadonlySignal<string | undefined>;
  error: ReadonlySignal<ApiError | null>;
  /** When `data` was last known to be current. */
  atMs: ReadonlySignal<number | null>;
  /** Read now, for example after an action. Resolves when that has succeeded or failed. */
  reload: () => Promise<void>;
}

/** Reads once. `etag` is that of the data which is already here. */
export type Load<T> = (etag: string | undefined, signal: AbortSignal) => Promise<Loaded<T> | Unchanged | T>;

/** Reads again and again between `start` and the call of what it returns. */
export class Poll<T> implements Polled<T> {
  readonly data = signal<T | undefined>(undefined);
  readonly etag = signal<string | undefined>(undefined);
  readonly error = signal<ApiError | null>(null);
  readonly atMs = signal<number | null>(null);
  private timer: number | undefined;
  private running: Promise<void> | null = null;
  private failures = 0;
  private readonly ended = new AbortController();

  constructor(
    private readonly load: Load<T>,
    private readonly everyMs: number,
  ) {}

  start(): () => void {
    const shown = (): void => {
      if (!document.hidden) void this.next();
    };
    document.addEventListener("visibilitychange", shown);
    void this.next();
    return () => {
      document.removeEventListener("visibilitychange", shown);
      window.clearTimeout(this.timer);
      this.ended.abort();
    };
  }

  reload = async (): Promise<void> => {
    // A read that is under way may have begun before the change that the caller wants to see.
    await this.running;
    if (!this.ended.signal.aborted) await this.next();
  };

  private next(): Promise<void> {
    if (this.running) return this.running;
    window.clearTimeout(this.timer);
    this.running = this.once().finally(() => {
      this.running = null;
      if (this.ended.signal.aborted) return;
      this.timer = window.setTimeout(() => void this.next(), this.waitMs());
    });
    return this.running;
  }

  private waitMs(): number {
    const every = document.hidden ? Math.max(HIDDEN_MS, this.everyMs) : this.everyMs;
    return this.failures ? Math.max(every, Math.min(RETRY_MS_MAX, VISIBLE_MS * 2 ** (this.failures - 1))) : every;
  }

  private async once(): Promise<void> {
    try {
      const found = await this.load(this.etag.peek(), this.ended.signal);
      if (this.ended.signal.aborted) return;
      if (!isUnchanged(found)) {
        this.data.value = isLoaded<T>(found) ? found.data : (found as T);
        this.etag.value = isLoaded<T>(found) ? found.etag : undefined;
      }
      this.error.value = null;
      this.failures = 0;
      this.atMs.value = Date.now();
    } catch (error) {
      if (this.ended.signal.aborted) return;
      this.failures += 1;
      this.error.value = shownError(error);
    }
  }
}

function isUnchanged(found: unknown): found is Unchanged {
  return typeof found === "object" && found !== null && (found as Unchanged).unchanged === true;
}

function isLoaded<T>(found: unknown): found is Loaded<T> {
  return typeof found === "object" && found !== null && (found as Loaded<T>).unchanged === false;
}

/**
 * Read while the component is shown: each `everyMs` (hidden: 10 s or more), the next read after the last one's end.
 * Another `key` starts from nothing, without the data of the old one. A failed read keeps the data, and is tried again.
 */
export function usePoll<T>(key: string, load: Load<T>, everyMs: number = VISIBLE_MS): Polled<T> {
  const poll = useMemo(() => new Poll(load, everyMs), [key, everyMs]);
  useEffect(() => poll.start(), [poll]);
  return poll;
}
