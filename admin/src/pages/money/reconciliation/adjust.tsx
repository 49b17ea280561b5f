/** The dialog that gives points back for a session, or takes such points again. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { write } from "../../../api/client";
import { useAction } from "../../../actions/action";
import { parsePoints, plainPoints, points } from "../../../format/points";
import { Confirm } from "../../../ui/buttons";
import { faultOf, TextField } from "../../../ui/fields";
import { driftText, suggestedAdjustment, type Row } from "./findings";
import { newPaymentId, payOnce } from "../payment_id";
import { Unanswered } from "../unanswered";

export function Adjust({ row, onClose, onAdjusted }: { row: Row; onClose: () => void; onAdjusted: () => void }) {
  // One id for this form: a repetition pays once.
  const paymentId = useMemo(newPaymentId, []);
  const purpose = `adjust ${row.session_id}`;
  const suggested = suggestedAdjustment(row);
  const amount = useSignal(suggested === null ? "" : plainPoints(suggested));
  const note = useSignal("");
  const parsed = parsePoints(amount.value);
  const change = typeof parsed === "number" && parsed !== 0 ? parsed : null;
  const action = useAction({ name: "Adjust the session", shown: () => true }, async () => {
    const body = { millipoints: change ?? 0, payment_id: paymentId, note: note.value.trim() };
    const wallet = await payOnce(purpose, paymentId, () => write("post", "/sessions/{session_id}/adjust", { params: { session_id: row.session_id }, body }));
    onAdjusted();
    const what = `${points(Math.abs(change ?? 0))} points ${(change ?? 0) < 0 ? "taken from" : "given back to"} the viewer.`;
    return `${what} The balance is ${points(wallet.balance_millipoints)} points. The session is reconciled again within minutes.`;
  });
  const error = action.error.value;
  const bounds = error?.problem;
  return (
    <Confirm open onClose={onClose} title="Adjust the session" action={action} danger={change !== null && change < 0} disabled={change === null}
      verb={change === null ? "Give back" : `${change < 0 ? "Take" : "Give back"} ${points(Math.abs(change))} points`}>
      <Unanswered what={purpose} />
      <p>Session <span class="mono break">{row.session_id}</span> of {row.stream_id} cost {points(row.net_millipoints)} points: {driftText(row.drift_ms, row.drift_millipoints)}.
        {row.adjustment_millipoints !== 0 && ` Adjustments gave back ${points(row.adjustment_millipoints)} points already.`}</p>
      <TextField label="Points to give back" autocomplete="off" placeholder="3.5" value={amount.value} onChange={(value) => (amount.value = value)}
        hint="At most what the session cost. A negative amount takes back what adjustments gave."
        fault={(amount.value && typeof parsed === "object" ? parsed.fault : null) ?? faultOf(error, "millipoints")} />
      {bounds?.millipoints_min !== undefined && bounds.millipoints_max !== undefined && (
        <p class="small">Allowed now: {points(bounds.millipoints_min)} to {points(bounds.millipoints_max)} points.</p>
      )}
      <TextField label="Note" maxLength={200} value={note.value} onChange={(value) => (note.value = value)} fault={faultOf(error, "note")}
        hint="Why. The viewer sees it in the ledger, and it stays for good: write no names." />
      <p class="small soft">Payment id <span class="mono break">{paymentId}</span>: it is paid once, also if you send this form again.</p>
    </Confirm>
  );
}
