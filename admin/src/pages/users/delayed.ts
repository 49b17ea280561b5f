/** Text that follows typing after a pause. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

export const TYPING_MS = 250;

/**
 * Return the text of a field and how to change it. `settle` gets the text once nobody has typed for 250 ms.
 * When `settled` becomes another text elsewhere (back, a link), the field shows that.
 */
export function useDelayed(settled: string, settle: (text: string) => void): [string, (text: string) => void] {
  const text = useSignal(settled);
  const sent = useRef(settled);
  useEffect(() => {
    // The text that this field has sent is older than what is typed since.
    if (settled !== sent.current) text.value = settled;
    sent.current = settled;
  }, [settled]);
  const now = text.value;
  useEffect(() => {
    if (now.trim() === settled) return;
    const timer = window.setTimeout(() => {
      sent.current = now.trim();
      settle(now.trim());
    }, TYPING_MS);
    return () => window.clearTimeout(timer);
  }, [now]);
  return [now, (next) => (text.value = next)];
}
