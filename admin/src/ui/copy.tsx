/** A text to use elsewhere: a key, a command, the id of a request. */
import { useSignal } from "@preact/signals";
import { Check, Copy } from "lucide-preact";
import { Button } from "./buttons";

const SAID_MS = 2_000;

/** Copies `text`. `what` names it: "Copy the command". */
export function CopyButton({ text, what, label }: { text: string; what: string; label?: string }) {
  const state = useSignal<"idle" | "copied" | "failed">("idle");
  const copy = (): void => {
    const said = (how: "copied" | "failed"): void => {
      state.value = how;
      window.setTimeout(() => (state.value = "idle"), SAID_MS);
    };
    // Pages that are neither HTTPS nor of this machine have no clipboard.
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => said("copied"), () => said("failed"));
    else said("failed");
  };
  const Icon = state.value === "copied" ? Check : Copy;
  return (
    <span class="row">
      <Button look={label ? "plain" : "quiet"} slim title={`Copy ${what}`} onClick={copy}>
        <Icon class="icon" aria-hidden="true" />
        {label}
      </Button>
      <span class={state.value === "idle" ? "visually-hidden" : "small soft"} role="status">
        {state.value === "copied" ? "copied" : state.value === "failed" ? "select it and copy it by hand" : ""}
      </span>
    </span>
  );
}
