/** The dialog that stops sessions, with a reason, a message to the viewers and a block. */
import { useComputed, useSignal } from "@preact/signals";
import { useAction } from "../../actions/action";
import { points } from "../../format/points";
import { plural } from "../../format/words";
import { nowMs } from "../../live/clock";
import { Confirm } from "../../ui/buttons";
import { CheckField, faultOf, SelectField, TextField } from "../../ui/fields";
import { refundEstimate, type LiveRow } from "./live_rows";
import { forAll, stopOne, stopSentence, type Stopped } from "./stop_many";

const TEXT_MAX = 200;
const MINUTES_MAX = 525_600;

interface StopProps {
  rows: readonly LiveRow[];
  onClose: () => void;
  onResults: (results: Stopped[]) => void;
}

export function StopDialog({ rows, onClose, onResults }: StopProps) {
  const reason = useSignal("");
  const message = useSignal("");
  const isBlocking = useSignal(false);
  const minutes = useSignal("60");
  const where = useSignal("all");
  const one = rows.length === 1 ? rows[0] : undefined;
  const title = one ? `Stop ${one.email ?? one.userId}` : `Stop ${plural(rows.length, "session")}`;
  const isWrong = useComputed(() => {
    const number = Number(minutes.value);
    return isBlocking.value && !(Number.isInteger(number) && number >= 1 && number <= MINUTES_MAX);
  });
  const action = useAction<[]>({ name: title, shown: () => true }, async () => {
    const form = {
      reason: reason.value, message: message.value,
      blockMinutes: isBlocking.value ? Number(minutes.value) : null, blockStream: where.value === "stream",
    };
    const results = await forAll(rows, (row) => stopOne(row, form));
    if (results.length > 1) onResults(results);
    const first = results.find((each) => each.error)?.error;
    if (first && results.every((each) => each.error)) throw first;
    return stopSentence(results);
  });
  const error = action.error.value;
  return (
    <Confirm open onClose={onClose} title={title} action={action} verb={one ? "Stop the session" : `Stop ${plural(rows.length, "session")}`} disabled={isWrong.value}>
      <p>
        Ends {plural(rows.length, "session")}, gives back about <strong><Estimate rows={rows} /></strong> points of paid time
        {isBlocking.value && `, and lets ${one ? "the viewer" : "the viewers"} start no session on ${where.value === "stream" ? "this stream" : "any stream"} for ${minutes.value || "…"} minutes. Other sessions that the block would refuse end too`}.
      </p>
      {!one && <Names rows={rows} />}
      <TextField
        label="Message to the viewer" value={message.value} onChange={(text) => (message.value = text)} maxLength={TEXT_MAX}
        hint={`The player shows it. ${message.value.length} of ${TEXT_MAX} characters. Empty: only that an operator ended it.`} fault={faultOf(error, "message")}
      />
      <TextField label="Reason" value={reason.value} onChange={(text) => (reason.value = text)} maxLength={TEXT_MAX} hint="For the audit log. The viewer does not see it." fault={faultOf(error, "reason")} />
      <CheckField label="Block too" hint={`${one ? "The viewer" : "Each viewer"} starts no session for a while.`} checked={isBlocking.value} onChange={(on) => (isBlocking.value = on)} />
      {isBlocking.value && (
        <div class="columns viewers-block">
          <TextField
            label="Minutes" inputMode="numeric" value={minutes.value} onChange={(text) => (minutes.value = text.trim())}
            fault={isWrong.value ? `Give whole minutes from 1 to ${MINUTES_MAX.toLocaleString("en-US")} (a year).` : faultOf(error, "block_minutes")}
          />
          <SelectField label="Where" value={where.value} onChange={(value) => (where.value = value)} options={[{ value: "all", label: "On all streams" }, { value: "stream", label: one ? "On this stream" : "On the stream of the session" }]} />
        </div>
      )}
    </Confirm>
  );
}

function Estimate({ rows }: { rows: readonly LiveRow[] }) {
  return <>{points(refundEstimate(rows, nowMs.value))}</>;
}

const NAMES_MAX = 8;

function Names({ rows }: { rows: readonly LiveRow[] }) {
  const names = [...new Set(rows.map((row) => row.email ?? row.userId))];
  return (
    <p class="small soft break">
      {names.slice(0, NAMES_MAX).join(", ")}
      {names.length > NAMES_MAX && ` and ${names.length - NAMES_MAX} more`}
    </p>
  );
}
