/** How many watch a stream, and what they get back, read when a dialog opens. */
import { useEffect } from "preact/hooks";
import { useSignal, type Signal } from "@preact/signals";
import { shownError, type ApiError } from "../../api/client";
import { Message, Refusal } from "../../ui/parts";
import { readImpact, type Impact } from "./impact";

/** Shows the sentence of `say`. `found` receives the figures, for the result of the action. */
export function ImpactNote({ streamId, found, say }: { streamId: string; found: Signal<Impact | null>; say: (impact: Impact) => string }) {
  const error = useSignal<ApiError | null>(null);
  useEffect(() => {
    const ended = new AbortController();
    found.value = null;
    readImpact(streamId, ended.signal).then(
      (impact) => {
        if (!ended.signal.aborted) found.value = impact;
      },
      (caught: unknown) => {
        if (ended.signal.aborted) return;
        error.value = shownError(caught);
      },
    );
    return () => ended.abort();
  }, [streamId]);
  if (error.value) return <Refusal error={error.value} title="How many watch could not be read." />;
  const impact = found.value;
  if (!impact) return <p class="soft" role="status">Counting who watches …</p>;
  return <Message tone={impact.sessions ? "warn" : "plain"}>{say(impact)}.</Message>;
}
