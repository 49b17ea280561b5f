/** The dialog that takes a payment back, at most what the wallet holds. */
import { useSignal } from "@preact/signals";
import { get, write } from "../../api/client";
import { useAction } from "../../actions/action";
import { points } from "../../format/points";
import { plural } from "../../format/words";
import { usePoll } from "../../live/poll";
import { Confirm } from "../../ui/buttons";
import { CheckField, faultOf, TextField } from "../../ui/fields";
import { Freshness, Loading, Message } from "../../ui/parts";
import type { Payment } from "./payments";

export function Reverse({ payment, onClose, onReversed }: { payment: Payment; onClose: () => void; onReversed: () => void }) {
  const note = useSignal("");
  const disable = useSignal(false);
  const wallet = usePoll(`reverse:${payment.user_id}`, (_, signal) => get("/wallets/{user_id}", { params: { user_id: payment.user_id }, signal }));
  const action = useAction({ name: "Take the payment back", shown: () => true }, async () => {
    const body = { disable_account: disable.value, note: note.value.trim() };
    const done = await write("post", "/payments/{payment_id}/reverse", { params: { payment_id: payment.payment_id }, body });
    onReversed();
    const short = done.shortfall_millipoints ? ` The wallet no longer held ${points(done.shortfall_millipoints)} points, which are no debt.` : "";
    return `${points(done.reversed_millipoints)} of ${points(done.millipoints)} points are taken back.${short}${disable.value ? " The account is disabled." : ""}`;
  });
  return (
    <Confirm open onClose={onClose} title="Take the payment back" action={action} verb={disable.value ? "Take it back and disable the account" : "Take it back"}>
      <p>
        Payment <span class="mono break">{payment.payment_id}</span> gave {points(payment.millipoints)} points to{" "}
        <a class="mono break" href={`/admin/users/${payment.user_id}`}>{payment.user_id}</a>. It is taken back once, and that cannot be undone.
      </p>
      <Loading of={wallet}>
        {(now) => {
          const taken = Math.min(Math.max(0, now.balance_millipoints), payment.millipoints);
          const short = payment.millipoints - taken;
          return (
            <Message tone={short ? "warn" : "plain"} title={`The wallet holds ${points(now.balance_millipoints)} points now.`}>
              <p>
                {short
                  ? `${points(taken)} points can be taken, and ${points(short)} are spent already: they become no debt.`
                  : `All ${points(taken)} points can be taken. ${points(now.balance_millipoints - taken)} points stay.`}
                {now.sessions.length > 0 && ` ${plural(now.sessions.length, "session")} spend from it meanwhile.`}
              </p>
              <Freshness of={wallet} />
            </Message>
          );
        }}
      </Loading>
      <CheckField label="Disable the account as well" hint="This comes first: its logins and sessions end, and what they get back is taken too. It is refused for accounts of the staff."
        checked={disable.value} onChange={(on) => (disable.value = on)} />
      <TextField label="Note" maxLength={200} value={note.value} onChange={(value) => (note.value = value)} fault={faultOf(action.error.value, "note")} hint="Why. It stays in the ledger for good: write no names." />
    </Confirm>
  );
}
