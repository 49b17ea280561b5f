/** The dialog that creates an account with an empty wallet. */
import { useSignal } from "@preact/signals";
import { write } from "../../../api/client";
import { useAction } from "../../../actions/action";
import { Button, Dialog, SubmitButton } from "../../../ui/buttons";
import { faultOf, SelectField, TextField } from "../../../ui/fields";
import { Message, Refusal } from "../../../ui/parts";
import { passwordFault } from "./password";
import { ROLE_NAMES, ROLE_TEXTS, ROLES, type Role } from "./roles";
import { generatedChoice, NewPassword, ShownOnce } from "./secret";

export function CreateAccount({ onClose, onCreated }: { onClose: () => void; onCreated: (userId: string) => void }) {
  const email = useSignal("");
  const role = useSignal<Role>("viewer");
  const password = useSignal(generatedChoice());
  const tried = useSignal(false);
  const made = useSignal<{ user_id: string; email: string } | null>(null);
  const emailFault = /^[^@\s]{1,64}@[^@\s]{1,190}$/.test(email.value.trim()) ? null : "Give an email address, such as name@example.org.";
  const secretFault = passwordFault(password.value.text);
  const action = useAction({ name: "Create an account", shown: () => true }, async () => {
    const answer = await write("post", "/users", { body: { email: email.value.trim(), role: role.value, password: password.value.text } });
    made.value = answer;
    return `${answer.email} is ${ROLE_NAMES[answer.role].toLowerCase()} with an empty wallet.`;
  });
  const open = (): void => {
    if (made.value) onCreated(made.value.user_id);
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    tried.value = true;
    if (emailFault || secretFault) return;
    void action.run().then((worked) => worked && !password.value.isGenerated && open());
  };
  const error = action.error.value;
  if (made.value && password.value.isGenerated) {
    return (
      <Dialog open onClose={open} title="The account is created">
        <div class="dialog-body stack">
          <Message tone="good" title={made.value.email}>It can sign in with this password:</Message>
          <ShownOnce password={password.value.text} />
        </div>
        <div class="dialog-foot"><Button look="primary" onClick={open}>Open the account</Button></div>
      </Dialog>
    );
  }
  return (
    <Dialog open onClose={onClose} title="Create an account">
      <form onSubmit={submit} noValidate>
        <div class="dialog-body fields">
          <TextField label="Email" type="email" inputMode="email" autocomplete="off" spellcheck={false} value={email.value} onChange={(value) => (email.value = value)}
            fault={(tried.value ? emailFault : null) ?? faultOf(error, "email")} />
          <SelectField label="Role" value={role.value} onChange={(value) => (role.value = value as Role)} hint={ROLE_TEXTS[role.value]}
            options={ROLES.map((each) => ({ value: each, label: ROLE_NAMES[each] }))} />
          <NewPassword value={password.value} onChange={(value) => (password.value = value)} fault={(tried.value ? secretFault : null) ?? faultOf(error, "password")} />
          {error && <Refusal error={error} />}
        </div>
        <div class="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <SubmitButton action={action}>Create the account</SubmitButton>
        </div>
      </form>
    </Dialog>
  );
}
