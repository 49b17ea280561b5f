/** The dialog that gives an account a new password. */
import { useSignal } from "@preact/signals";
import { write, type Schemas } from "../../../api/client";
import { useAction } from "../../../actions/action";
import { Button, Dialog, SubmitButton } from "../../../ui/buttons";
import { faultOf } from "../../../ui/fields";
import { Message, Refusal } from "../../../ui/parts";
import { Ending, type Opened } from "./change_account";
import { passwordFault } from "./password";
import { generatedChoice, NewPassword, ShownOnce } from "./secret";
import type { Wallet } from "../wallet";

export function ResetPassword({ opened, wallet, onClose, onChanged }: { opened: Opened; wallet: Wallet | undefined; onClose: () => void; onChanged: () => Promise<void> }) {
  const { account } = opened;
  const password = useSignal(generatedChoice());
  const tried = useSignal(false);
  const isDone = useSignal(false);
  const fault = passwordFault(password.value.text);
  const action = useAction({ name: "Reset the password", shown: () => true }, async () => {
    const body = { password: password.value.text } as Schemas["EditUserRequest"];
    await write("patch", "/users/{user_id}", { params: { user_id: account.user_id }, body });
    isDone.value = true;
    void onChanged();
    return `The password of ${account.email} is replaced. All logins and sessions have ended.`;
  });
  const error = action.error.value;
  if (isDone.value && password.value.isGenerated) {
    return (
      <Dialog open onClose={onClose} title="The password is replaced">
        <div class="dialog-body stack">
          <Message tone="good" title={account.email}>Its new password:</Message>
          <ShownOnce password={password.value.text} />
        </div>
        <div class="dialog-foot"><Button look="primary" onClick={onClose}>Done</Button></div>
      </Dialog>
    );
  }
  return (
    <Dialog open onClose={onClose} title="Reset the password">
      <form noValidate onSubmit={(event) => {
        event.preventDefault();
        tried.value = true;
        if (!fault) void action.run().then((worked) => worked && !password.value.isGenerated && onClose());
      }}>
        <div class="dialog-body stack">
          <p class="break">The old password of <strong>{account.email}</strong> is void, and all its logins end at once.</p>
          <Ending wallet={wallet} />
          <NewPassword value={password.value} onChange={(value) => (password.value = value)} fault={(tried.value ? fault : null) ?? faultOf(error, "password")} />
          {error && <Refusal error={error} />}
        </div>
        <div class="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <SubmitButton action={action} look="danger primary">Reset the password</SubmitButton>
        </div>
      </form>
    </Dialog>
  );
}
