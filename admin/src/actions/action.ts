/** What a person does to the platform: it shows that it runs, that it worked and what changed, or why not. */
import { signal, type ReadonlySignal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import { ApiError } from "../api/client";
import { notify } from "./notices";

export interface Action<A extends unknown[]> {
  /** Do it. A call while it runs does nothing and returns undefined. Returns whether it worked. */
  run: (...given: A) => Promise<boolean | undefined>;
  running: ReadonlySignal<boolean>;
  /** Why the last try failed; null before, while it runs and after a success. */
  error: ReadonlySignal<ApiError | null>;
  clear: () => void;
}

interface Options {
  /** What the action is called in a notice: "Stop the session". */
  name: string;
  /** Errors that the page shows itself, next to fields or as a conflict; others become notices. */
  shown?: (error: ApiError) => boolean;
}

/**
 * Return an action of a component. `act` resolves to what has changed, as a sentence, which becomes a notice; null: the
 * page shows it.
 * A double click does nothing twice, since only one run is under way at a time.
 */
export function useAction<A extends unknown[]>(options: Options, act: (...given: A) => Promise<string | null>): Action<A> {
  const latest = useRef({ options, act });
  latest.current = { options, act };
  return useMemo(() => {
    const running = signal(false);
    const error = signal<ApiError | null>(null);
    const run = async (...given: A): Promise<boolean | undefined> => {
      if (running.peek()) return undefined;
      running.value = true;
      error.value = null;
      try {
        const text = await latest.current.act(...given);
        if (text !== null) notify({ kind: "done", title: latest.current.options.name, text });
        return true;
      } catch (caught) {
        if (!(caught instanceof ApiError)) throw caught;
        error.value = caught;
        if (!latest.current.options.shown?.(caught)) {
          notify({ kind: "failed", title: latest.current.options.name, text: caught.message, error: caught });
        }
        return false;
      } finally {
        running.value = false;
      }
    };
    return { run, running, error, clear: () => (error.value = null) };
  }, []);
}
