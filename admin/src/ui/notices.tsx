/** The results of actions, in a corner of every page. Screen readers announce them. */
import { X } from "lucide-preact";
import { dismiss, notices } from "../actions/notices";
import { Button } from "./buttons";
import { Message } from "./parts";

export function Notices() {
  return (
    <div class="notices" aria-live="polite">
      {notices.value.map(({ id, kind, title, text, error }) => (
        <Message key={id} tone={kind === "done" ? "good" : "bad"} title={title}>
          <div class="row spread">
            <span class="notice-text">{text}</span>
            <Button look="quiet" slim title="Dismiss" onClick={() => dismiss(id)}>
              <X class="icon" aria-hidden="true" />
            </Button>
          </div>
          {error && (
            <p class="small soft">
              {error.code}
              {error.requestId && <> · request {error.requestId}</>}
            </p>
          )}
        </Message>
      ))}
    </div>
  );
}
