/** A generated secret, shown once, with a button that copies it. */
import { useSignal } from "@preact/signals";
import { Copy } from "lucide-preact";
import { Button } from "../../../ui/buttons";
import { CheckField, TextField } from "../../../ui/fields";
import { generatedPassword, LENGTH_MAX, LENGTH_MIN } from "./password";

export interface PasswordChoice {
  text: string;
  isGenerated: boolean;
}

export function generatedChoice(): PasswordChoice {
  return { text: generatedPassword(), isGenerated: true };
}

/** A new password: generated, or typed. */
export function NewPassword({ value, onChange, fault }: { value: PasswordChoice; onChange: (value: PasswordChoice) => void; fault: string | null }) {
  return (
    <>
      <CheckField label="Generate a password" hint="It is shown once, after it is set." checked={value.isGenerated}
        onChange={(isGenerated) => onChange(isGenerated ? generatedChoice() : { text: "", isGenerated: false })} />
      {!value.isGenerated && (
        <TextField label="New password" type="password" autocomplete="new-password" required maxLength={LENGTH_MAX} value={value.text}
          hint={`At least ${LENGTH_MIN} characters.`} fault={fault} onChange={(text) => onChange({ text, isGenerated: false })} />
      )}
    </>
  );
}

/** Show a generated password to the one who has to pass it on. */
export function ShownOnce({ password }: { password: string }) {
  const copied = useSignal<string | null>(null);
  const copy = (): void => {
    navigator.clipboard.writeText(password).then(
      () => (copied.value = "Copied."),
      () => (copied.value = "The browser did not allow copying. Select the text and copy it."),
    );
  };
  return (
    <div class="stack tight">
      <div class="row">
        <output class="mono users-secret" aria-label="Generated password">{password}</output>
        <Button onClick={copy}><Copy class="icon" aria-hidden="true" /> Copy</Button>
      </div>
      <span class="small soft" role="status">{copied.value ?? "It is shown only now. Pass it on by a safe way, and ask the person to change it."}</span>
    </div>
  );
}
