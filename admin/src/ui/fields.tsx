/** Fields of forms and filters: a label, a hint, and what is wrong. */
import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import type { ApiError } from "../api/client";

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  /** What is wrong with the value. */
  fault?: string | null | undefined;
}

type Changed = (value: string) => void;

/** Return what the API says about a field, for `fault`. Fields of lists have names such as `backups.0.url`. */
export function faultOf(error: ApiError | null, field: string): string | null {
  const faults = error?.problem.errors?.filter((each) => each.field === field || each.field.startsWith(`${field}.`));
  return faults?.length ? faults.map((each) => each.detail).join("; ") : null;
}

function Labelled({ label, hint, fault, children }: FieldProps & { children: (of: { id: string; "aria-describedby": string | undefined; "aria-invalid": "true" | undefined }) => ComponentChildren }) {
  const id = useId();
  const described = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ") || undefined;
  return (
    <div class="field">
      <label class="label" for={id}>{label}</label>
      {children({ id, "aria-describedby": described, "aria-invalid": fault ? "true" : undefined })}
      {hint && <span class="hint" id={`${id}-hint`}>{hint}</span>}
      {fault && <span class="fault" id={`${id}-fault`}>{fault}</span>}
    </div>
  );
}

type Native<T extends EventTarget> = Omit<JSX.HTMLAttributes<T>, "onInput" | "onChange" | "label" | "value" | "size">;

/** A line of text, a number, a date: `type` as in HTML. */
export function TextField({ label, hint, fault, value, onChange, ...rest }: FieldProps & { value: string; onChange: Changed } & Native<HTMLInputElement> & {
  type?: string; placeholder?: string; required?: boolean; maxLength?: number; min?: number | string; max?: number | string; step?: number | string;
  autocomplete?: string; inputMode?: "decimal" | "numeric" | "text" | "email"; pattern?: string; disabled?: boolean; spellcheck?: boolean; readOnly?: boolean;
}) {
  return (
    <Labelled label={label} hint={hint} fault={fault}>
      {(of) => <input {...of} type="text" value={value} onInput={(event) => onChange(event.currentTarget.value)} {...rest} />}
    </Labelled>
  );
}

/** Several lines of text. */
export function LongTextField({ label, hint, fault, value, onChange, rows = 3, maxLength }: FieldProps & { value: string; onChange: Changed; rows?: number; maxLength?: number }) {
  return (
    <Labelled label={label} hint={hint} fault={fault}>
      {(of) => <textarea {...of} rows={rows} maxLength={maxLength} value={value} onInput={(event) => onChange(event.currentTarget.value)} />}
    </Labelled>
  );
}

/** One of several values. */
export function SelectField({ label, hint, fault, value, onChange, options, disabled = false }: FieldProps & { value: string; onChange: Changed; options: readonly { value: string; label: string }[]; disabled?: boolean }) {
  return (
    <Labelled label={label} hint={hint} fault={fault}>
      {(of) => (
        <select {...of} value={value} disabled={disabled} onChange={(event) => onChange(event.currentTarget.value)}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>{option.label}</option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

/** Yes or no. */
export function CheckField({ label, hint, checked, onChange, disabled = false }: { label: ComponentChildren; hint?: ComponentChildren; checked: boolean; onChange: (checked: boolean) => void; disabled?: boolean }) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} disabled={disabled} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>
        {label}
        {hint && <span class="soft small"> {hint}</span>}
      </span>
    </label>
  );
}

/** The search of a page. The key `/` goes there. */
export function SearchField({ label, value, onChange, placeholder, hint, fault }: FieldProps & { value: string; onChange: Changed; placeholder?: string }) {
  return <TextField label={label} hint={hint} fault={fault} type="search" value={value} onChange={onChange} placeholder={placeholder ?? ""} autocomplete="off" spellcheck={false} data-search="" />;
}
