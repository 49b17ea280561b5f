/** The warning of a form that pays, when the form was closed after a try without an answer. */
import { useMemo } from "preact/hooks";
import { Message } from "../../ui/parts";
import { unansweredPayment } from "./payment_id";

export function Unanswered({ what }: { what: string }) {
  // As of the opening of the form: its own tries say themselves what came of them.
  const id = useMemo(() => unansweredPayment(what), []);
  if (!id) return null;
  return (
    <Message tone="warn" title="The last payment of this form had no answer.">
      It may have been made: look for <span class="mono break">{id}</span> in the ledger first. This form makes another payment.
    </Message>
  );
}
