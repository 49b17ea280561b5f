/** Dialogs of a wallet: points for or from it, and its daily cap. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { write } from "../../api/client";
import { useAction } from "../../actions/action";
import { parsePoints, plainPoints, points, signedPoints } from "../../format/points";
import { Button, Dialog, SubmitButton } from "../../ui/buttons";
import { CheckField, faultOf, TextField } from "../../ui/fields";
import { Message, Refusal } from "../../ui/parts";
import { newPaymentId, payOnce } from "../money/payment_id";
import { Unanswered } from "../money/unanswered";
import type { Wallet } from "./wallet";

interface WalletDialog {
  wallet: Wallet;
  who: string;
  onClose: () => void;
  onChanged: () => Promise<void>;
}

export function Credit({ wallet, who, onClose, onChanged }: WalletDialog) {
  // One id for this form: a repetition after a lost answer, or a double click, pays once.
  const paymentId = useMemo(newPaymentId, []);
  const what = `credit ${wallet.user_id}`;
  const amount = useSignal("");
  const note = useSignal("");
  const source = useSignal("");
  const tried = useSignal(false);
  const balanceAfter = useSignal<number | null>(null);
  const parsed = parsePoints(amount.value);
  const change = typeof parsed === "number" ? parsed : null;
  const fault = typeof parsed === "object" ? parsed.fault : parsed === 0 ? "Give an amount other than 0." : null;
  const action = useAction({ name: "Credit the wallet", shown: () => true }, async () => {
    const body = { millipoints: change ?? 0, payment_id: paymentId, note: note.value.trim(), source: source.value.trim() || null };
    const answer = await payOnce(what, paymentId, () => write("post", "/wallets/{user_id}/credit", { params: { user_id: wallet.user_id }, body }));
    void onChanged();
    const given = `${points(Math.abs(change ?? 0))} points ${(change ?? 0) < 0 ? "taken from" : "given to"} ${who}.`;
    if (!("balance_millipoints" in answer)) return given;
    balanceAfter.value = answer.balance_millipoints;
    return `${given} The balance is ${points(answer.balance_millipoints)} points.`;
  });
  const error = action.error.value;
  if (balanceAfter.value !== null) {
    return (
      <Dialog open onClose={onClose} title="The payment is made">
        <div class="dialog-body stack">
          <Message tone="good" title={`New balance: ${points(balanceAfter.value)} points`}>
            <p>{signedPoints(change)} points as payment <span class="mono break">{paymentId}</span>.</p>
          </Message>
        </div>
        <div class="dialog-foot"><Button look="primary" onClick={onClose}>Done</Button></div>
      </Dialog>
    );
  }
  return (
    <Dialog open onClose={onClose} title={`Credit the wallet of ${who}`}>
      <form noValidate onSubmit={(event) => {
        event.preventDefault();
        tried.value = true;
        if (!fault) void action.run();
      }}>
        <div class="dialog-body fields">
          <Unanswered what={what} />
          <TextField label="Points" inputMode="text" autocomplete="off" value={amount.value} placeholder="50 or -2.5" onChange={(value) => (amount.value = value)}
            hint={change ? `The balance goes from ${points(wallet.balance_millipoints)} to ${points(wallet.balance_millipoints + change)} points.` : "A negative amount takes points from the wallet."}
            fault={(tried.value ? fault : null) ?? faultOf(error, "millipoints")} />
          <TextField label="Note" maxLength={200} value={note.value} onChange={(value) => (note.value = value)} fault={faultOf(error, "note")}
            hint="Why. The viewer sees it in the ledger, and it stays for good: write no names." />
          <TextField label="Source" maxLength={64} placeholder="operator" value={source.value} onChange={(value) => (source.value = value)} fault={faultOf(error, "source")}
            hint="Where the payment comes from: one word or a few." />
          <p class="small soft">Payment id <span class="mono break">{paymentId}</span>: it is paid once, also if you send this form again.</p>
          {error && <Refusal error={error} title={error.isOutage ? "The payment may have been made. Send it again: it is paid once." : undefined} />}
        </div>
        <div class="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <SubmitButton action={action} look={change !== null && change < 0 ? "danger primary" : "primary"}>
            {change ? `${change < 0 ? "Take" : "Give"} ${points(Math.abs(change))} points` : "Give points"}
          </SubmitButton>
        </div>
      </form>
    </Dialog>
  );
}

export function DailyCap({ wallet, who, onClose, onChanged }: WalletDialog) {
  const before = wallet.daily_cap_millipoints;
  const isOn = useSignal(before !== null);
  const amount = useSignal(before === null ? "" : plainPoints(before));
  const tried = useSignal(false);
  const parsed = parsePoints(amount.value);
  const fault = !isOn.value ? null : typeof parsed === "object" ? parsed.fault : parsed < 0 ? "Give 0 or more." : null;
  const action = useAction({ name: "Set the daily cap", shown: () => true }, async () => {
    const wanted = isOn.value && typeof parsed === "number" ? parsed : null;
    await write("put", "/wallets/{user_id}/cap", { params: { user_id: wallet.user_id }, body: { daily_cap_millipoints: wanted } });
    void onChanged();
    const text = (cap: number | null): string => (cap === null ? "none" : `${points(cap)} points a day`);
    return `The daily cap of ${who} was ${text(before)} and is ${text(wanted)}.`;
  });
  const error = action.error.value;
  return (
    <Dialog open onClose={onClose} title="Daily cap">
      <form noValidate onSubmit={(event) => {
        event.preventDefault();
        tried.value = true;
        if (!fault) void action.run().then((worked) => worked && onClose());
      }}>
        <div class="dialog-body fields">
          <p>The most that all sessions of <strong class="break">{who}</strong> may spend on a UTC day. {points(wallet.spent_today_millipoints)} points are spent today, and stay spent.</p>
          <CheckField label="Limit what is spent on a day" checked={isOn.value} onChange={(on) => (isOn.value = on)} />
          {isOn.value && (
            <TextField label="Points a day" inputMode="decimal" value={amount.value} onChange={(value) => (amount.value = value)}
              fault={(tried.value ? fault : null) ?? faultOf(error, "daily_cap_millipoints")}
              hint={typeof parsed === "number" && parsed <= wallet.spent_today_millipoints ? "This is used up for today: sessions end when their paid time is over." : "The user can change it again."} />
          )}
          {error && <Refusal error={error} />}
        </div>
        <div class="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <SubmitButton action={action}>{isOn.value ? "Set the cap" : "Remove the cap"}</SubmitButton>
        </div>
      </form>
    </Dialog>
  );
}
