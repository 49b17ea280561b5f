/** The dialog that erases a person, confirmed by typing the email. */
import { useSignal } from "@preact/signals";
import { write } from "../../../api/client";
import { useAction } from "../../../actions/action";
import { points } from "../../../format/points";
import { Confirm } from "../../../ui/buttons";
import { TextField } from "../../../ui/fields";
import { Facts, Message } from "../../../ui/parts";
import { Ending } from "./change_account";
import type { Account } from "./conflict";
import type { Wallet } from "../wallet";

export function Erase({ account, wallet, onClose, onErased }: { account: Account; wallet: Wallet | undefined; onClose: () => void; onErased: () => void }) {
  const typed = useSignal("");
  const action = useAction({ name: "Erase the person", shown: () => true }, async () => {
    const erased = await write("post", "/users/{user_id}/erase", { params: { user_id: account.user_id } });
    onErased();
    return `${account.email} is erased. Sums stay under the id ${erased.user_id}.`;
  });
  return (
    <Confirm open onClose={onClose} title="Erase the person" action={action} verb="Erase for good" disabled={typed.value.trim() !== account.email}>
      <Message tone="warn" title="This cannot be undone." />
      <Facts of={[
        ["Goes", "logins and running sessions, account, email, password, addresses, user agents"],
        ["Stays", "wallet, ledger, payments, sessions, usage and reconciliation, under the user id, which names no person"],
      ]} />
      <Ending wallet={wallet} />
      {wallet && wallet.balance_millipoints > 0 && <p>The {points(wallet.balance_millipoints)} points stay in the wallet, where nobody can spend them.</p>}
      {wallet && wallet.debt_millipoints > 0 && <p>Its debt of {points(wallet.debt_millipoints)} points is written off.</p>}
      <p>Notes of payments are part of the ledger and stay. The email can be registered again, as another person.</p>
      <TextField label={`Type ${account.email} to confirm`} value={typed.value} autocomplete="off" spellcheck={false} onChange={(value) => (typed.value = value)} />
    </Confirm>
  );
}
