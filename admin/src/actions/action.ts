/** What a person does to the platform: it shows that it runs, that it worked and what changed, or why not. */
import { signal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { shownError, type ApiError } from "../api/client";
import { notify } from "./notices";

export interface Action<A extends unknown[]> {
  /** Do it. A call while it runs does nothing and returns undefined. Returns whether it worked. */
  run: (...given: A) => Promise<boolean | undefined>;
  running: ReadonlySignal<boolean>;
  /** Why the last try failed; null before, while it runs and after a success. */
  error: ReadonlySignal<ApiError | null>;
  /** Remove the error. While it runs: nobody looks at its form any more, so a failure becomes a notice. */
  clear: () => void;
}

interface Options {
  /** What the action is called in a notice: "Stop the session". */
  name: string;
  /** Errors that the page shows itself, next to fields or as a conflict; others become notices. */
  shown?: (error: ApiError) => boolean;
}

interface Given<A extends unknown[]> {
  options: Options;
  act: (...given: A) => Promise<string | null>;
}

/** Return an action that does what `given` holds when it starts. */
export function newAction<A extends unknown[]>(given: { current: Given<A> }): Action<A> {
  const running = signal(false);
  const error = signal<ApiError | null>(null);
  let isWatched = true;
  const run = async (...values: A): Promise<boolean | undefined> => {
    if (running.peek()) return undefined;
    const { options, act } = given.current;
    running.value = true;
    error.value = null;
    isWatched = true;
    try {
      const text = await act(...values);
      if (text !== null) notify({ kind: "done", title: options.name, text });
      return true;
    } catch (caught) {
      const fault = shownError(caught);
      if (isWatched) error.value = fault;
      if (!isWatched || !options.shown?.(fault)) notify({ kind: "failed", title: options.name, text: fault.message, error: fault });
      return false;
    } finally {
      running.value = false;
    }
  };
  const clear = (): void => {
    error.value = null;
    if (running.peek()) isWatched = false;
  };
  return { run, running, error, clear };
}

/**
 * Return an action of a component. `act` resolves to what has changed, as a sentence, which becomes a notice; null: the
 * page shows it.
 * A double click does nothing twice, since only one run is under way at a time.
 */
export function useAction<A extends unknown[]>(options: Options, act: (...given: A) => Promise<string | null>): Action<A> {
  const latest = useRef({ options, act });
  latest.current = { options, act };
  const action = useMemo(() => newAction(latest), []);
  useEffect(() => action.clear, []);
  return action;
}
