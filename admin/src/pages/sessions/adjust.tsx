/** The form that gives points back for a session, or takes an adjustment back. */
import { useSignal } from "@preact/signals";
import { useAction } from "../../actions/action";
import { write } from "../../api/client";
import { parsePoints, points } from "../../format/points";
import { Confirm } from "../../ui/buttons";
import { faultOf, TextField } from "../../ui/fields";
import type { Detail } from "./ledger_words";

const NOTE_MAX = 200;

/** Return an id for a payment. The same id pays once, however often it is sent. */
export const newPaymentId = (): string => `adjust-${crypto.randomUUID()}`;

interface AdjustProps {
  session: Detail;
  paymentId: string;
  onClose: () => void;
  onDone: () => void;
}

export function Adjust({ session, paymentId, onClose, onDone }: AdjustProps) {
  const amount = useSignal("");
  const note = useSignal("");
  const id = useSignal(paymentId);
  const action = useAction<[]>({ name: "Adjust the session", shown: () => true }, async () => {
    const millipoints = parsePoints(amount.value);
    if (typeof millipoints !== "number") return "";
    const wallet = await write("post", "/sessions/{session_id}/adjust", {
      params: { session_id: session.session_id },
      body: { millipoints, payment_id: id.value, note: note.value.trim() },
    });
    onDone();
    const done = millipoints > 0 ? `${points(millipoints)} points given to` : `${points(-millipoints)} points taken from`;
    return `${done} ${session.email ?? session.user_id}. The balance is ${points(wallet.balance_millipoints)}.`;
  });
  const error = action.error.value;
  // A settlement may have moved the bounds since the page read them.
  const newer = error?.problem as { millipoints_min?: number; millipoints_max?: number } | undefined;
  const least = newer?.millipoints_min ?? session.adjust_millipoints_min ?? 0;
  const most = newer?.millipoints_max ?? session.adjust_millipoints_max ?? 0;
  const parsed = parsePoints(amount.value);
  const fault = faultIn(amount.value, parsed, least, most);
  const isReady = typeof parsed === "number" && fault === null;
  return (
    <Confirm open onClose={onClose} title="Adjust the session" action={action} verb={isReady ? (parsed > 0 ? `Give ${points(parsed)} points` : `Take ${points(-parsed)} points`) : "Adjust"} danger={isReady && parsed < 0} disabled={!isReady}>
      <p>
        The session cost {points(session.charged_millipoints)} points, of which adjustments have given back {points(session.adjusted_millipoints)}.
        {" "}{most > 0 ? `Up to ${points(most)} can be given back.` : "Nothing more can be given back."}
        {least < 0 && ` Up to ${points(-least)} of what was given can be taken again, with a minus.`}
      </p>
      <TextField label="Points" inputMode="decimal" placeholder="12.5" value={amount.value} onChange={(text) => (amount.value = text)} autocomplete="off" fault={fault ?? faultOf(error, "millipoints")} />
      <TextField label="Note" value={note.value} onChange={(text) => (note.value = text)} maxLength={NOTE_MAX} hint="In the viewer's ledger: the viewer reads it." fault={faultOf(error, "note")} />
      <p class="small soft break">Payment {id.value}. If no answer comes, try again: the same payment is made once only.</p>
    </Confirm>
  );
}

function faultIn(text: string, parsed: ReturnType<typeof parsePoints>, least: number, most: number): string | null {
  if (!text.trim()) return null;
  if (typeof parsed !== "number") return parsed.fault;
  if (parsed === 0) return "Give an amount other than 0.";
  return parsed < least || parsed > most ? `Give from ${points(least)} to ${points(most)} points.` : null;
}
