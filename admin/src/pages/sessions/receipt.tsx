/** The receipt of a session: plain text that can be copied or printed. */
import { Copy, Printer } from "lucide-preact";
import { notify } from "../../actions/notices";
import { points } from "../../format/points";
import { localTime } from "../../format/units";
import { Button } from "../../ui/buttons";
import { Message, Panel } from "../../ui/parts";
import type { Detail, Line } from "./ledger_words";
import { costOf, receiptOf } from "./timeline";

export function Receipt({ session, lines, more }: { session: Detail; lines: readonly Line[]; more: boolean }) {
  const text = receiptOf(session, lines, localTime);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => notify({ kind: "done", title: "Copy the receipt", text: "The receipt is in the clipboard." }),
      () => notify({ kind: "failed", title: "Copy the receipt", text: "The browser did not allow it. Select the text and copy it." }),
    );
  };
  // The session's own cost leaves adjustments out.
  const byServer = session.charged_millipoints === null ? null : session.charged_millipoints - session.adjusted_millipoints;
  const differs = !session.active && !more && byServer !== null && byServer !== costOf(lines);
  return (
    <Panel
      title="Receipt"
      side={
        <>
          <Button slim onClick={copy}><Copy class="icon" aria-hidden="true" />Copy</Button>
          <Button slim onClick={() => window.print()}><Printer class="icon" aria-hidden="true" />Print</Button>
        </>
      }
    >
      <pre class="sessions-receipt" tabIndex={0}>{text}</pre>
      {more && <p class="small soft">The session has more lines than are read here, so the amounts are of a part.</p>}
      {differs && <Message tone="warn" title="The lines differ from the session's record.">The lines say {points(costOf(lines))}, the record {points(byServer)}. If this stays, see <a href="/admin/money?tab=reconciliation">reconciliation</a>.</Message>}
    </Panel>
  );
}
