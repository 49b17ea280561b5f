/** Long lists: page after page, as far as somebody wants to see. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { shownError, type ApiError } from "../api/client";
import { Button } from "./buttons";
import { isCutOff, Refusal } from "./parts";

interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/**
 * A list of the past, which is not polled: it loads its first page, and each further page on a click.
 * Another `of` starts a new list.
 */
export function PagedList<T>({ of, load, children }: { of: string; load: (cursor: string | undefined) => Promise<Page<T>>; children: (items: T[]) => ComponentChildren }) {
  const items = useSignal<T[] | null>(null);
  const next = useSignal<string | undefined>(undefined);
  const error = useSignal<ApiError | null>(null);
  const running = useSignal(false);
  /** Counts the lists that were begun. An answer to an earlier one is dropped. */
  const begun = useRef(0);

  const more = async (cursor: string | undefined): Promise<void> => {
    const list = begun.current;
    running.value = true;
    error.value = null;
    try {
      const found = await load(cursor);
      if (begun.current !== list) return;
      items.value = [...(cursor ? (items.peek() ?? []) : []), ...found.items];
      next.value = found.next_cursor ?? undefined;
    } catch (caught) {
      if (begun.current === list) error.value = shownError(caught);
    } finally {
      if (begun.current === list) running.value = false;
    }
  };
  useEffect(() => {
    begun.current += 1;
    items.value = null;
    next.value = undefined;
    void more(undefined);
  }, [of]);

  return (
    <div class="stack tight">
      {items.value && children(items.value)}
      {error.value && <Refusal error={error.value} />}
      {items.value === null && !error.value && <div class="empty" role="status">Loading …</div>}
      {(next.value || error.value) && (
        <div class="row list-more">
          <Button disabled={running.value || isCutOff()} onClick={() => void more(next.peek())}>
            {error.value ? "Try again" : "Show more"}
          </Button>
          {items.value && <span class="small soft">{items.value.length.toLocaleString("en-US")} shown, and there are more</span>}
        </div>
      )}
    </div>
  );
}
