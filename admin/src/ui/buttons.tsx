/** Buttons that run actions, and dialogs that confirm them. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { X } from "lucide-preact";
import type { Action } from "../actions/action";
import { isCutOff, Refusal } from "./parts";

type Look = "plain" | "primary" | "danger" | "danger primary" | "quiet";

interface ButtonProps {
  look?: Look;
  slim?: boolean;
  disabled?: boolean;
  /** Shown as tooltip, and read out where the button has only an icon. */
  title?: string;
  type?: "button" | "submit";
  onClick?: () => void;
  children: ComponentChildren;
}

/** A button that changes only the page. */
export function Button({ look = "plain", slim = false, title, type = "button", ...rest }: ButtonProps) {
  return <button type={type} class={`button ${look} ${slim ? "slim" : ""}`} title={title} aria-label={title} {...rest} />;
}

/** A button that changes the platform. It shows that the action runs, and is disabled while the API does not answer. */
export function ActionButton({ action, disabled = false, children, ...rest }: ButtonProps & { action: Action<[]> }) {
  const running = action.running.value;
  return (
    <Button {...rest} disabled={disabled || running || isCutOff()} onClick={() => void action.run()}>
      {running && <span class="spinner" aria-hidden="true" />}
      {children}
    </Button>
  );
}

/** A submit button of a form whose `onSubmit` runs the action. */
export function SubmitButton({ action, look = "primary", disabled = false, children }: { action: Action<never[]>; look?: Look; disabled?: boolean; children: ComponentChildren }) {
  const running = action.running.value;
  return (
    <Button type="submit" look={look} disabled={disabled || running || isCutOff()}>
      {running && <span class="spinner" aria-hidden="true" />}
      {children}
    </Button>
  );
}

/**
 * A modal dialog. The browser keeps the focus in it, closes it on Escape, and returns the focus where it came from.
 * Its content is created each time that it opens.
 */
export function Dialog({ open, onClose, title, children }: { open: boolean; onClose: () => void; title: string; children: ComponentChildren }) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    if (!open || !dialog) return;
    const before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [open]);
  if (!open) return null;
  return (
    <dialog
      ref={element}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div class="dialog-head">
        <h2 id={id}>{title}</h2>
        <Button look="quiet" slim title="Close" onClick={onClose}>
          <X class="icon" aria-hidden="true" />
        </Button>
      </div>
      {children}
    </dialog>
  );
}

/** A dialog that says what an action will do, and runs it. It closes when the action has worked. */
export function Confirm({ open, onClose, title, action, verb, danger = true, disabled = false, children }: {
  open: boolean;
  onClose: () => void;
  title: string;
  action: Action<[]>;
  /** What the button says: "Stop 3 sessions". */
  verb: string;
  danger?: boolean;
  disabled?: boolean;
  /** What will happen, and fields of the action. */
  children: ComponentChildren;
}) {
  const error = action.error.value;
  const close = (): void => {
    action.clear();
    onClose();
  };
  return (
    <Dialog open={open} onClose={close} title={title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void action.run().then((worked) => worked && close());
        }}
      >
        <div class="dialog-body stack">
          {children}
          {error && <Refusal error={error} />}
        </div>
        <div class="dialog-foot">
          <Button onClick={close}>Cancel</Button>
          <SubmitButton action={action} look={danger ? "danger primary" : "primary"} disabled={disabled}>
            {verb}
          </SubmitButton>
        </div>
      </form>
    </Dialog>
  );
}
