/** What is asked before a service key is created, rotated or revoked, and the one time that its secret is shown. */
import { useSignal } from "@preact/signals";
import { write, type Schemas } from "../../../api/client";
import { useAction } from "../../../actions/action";
import { localTime } from "../../../format/units";
import { plural } from "../../../format/words";
import { Button, Confirm, Dialog } from "../../../ui/buttons";
import { CopyButton } from "../../../ui/copy";
import { CheckField, faultOf, TextField } from "../../../ui/fields";
import { Ago, Message, Time } from "../../../ui/parts";
import { DAYS_MAX, nameFault, OVERLAP_HOURS_MAX, SCOPES, wholeOf, type Scope, type ServiceKey } from "./key_form";

type NewKey = Schemas["NewKeyAnswer"];
interface Asking {
  open: boolean;
  onClose: () => void;
}

export function CreateKey({ open, onClose, onMade }: Asking & { onMade: (key: NewKey) => void }) {
  const name = useSignal("");
  const days = useSignal("90");
  const scopes = useSignal<readonly Scope[]>([]);
  const length = wholeOf(days.value, 1, DAYS_MAX);
  const action = useAction({ name: "Create a service key", shown: () => true }, async () => {
    const made = await write("post", "/service-keys", { body: { name: name.value.trim(), scopes: [...scopes.value], expires_in_days: Number(days.value) } });
    name.value = "";
    scopes.value = [];
    onMade(made);
    return `The key ${made.name} (${made.scopes.join(", ")}) is valid until ${localTime(made.expires_at_ms)}.`;
  });
  const error = action.error.value;
  const isReady = nameFault(name.value) === null && scopes.value.length > 0 && typeof length === "number";
  return (
    <Confirm open={open} onClose={onClose} title="New service key" action={action} verb="Create the key" danger={false} disabled={!isReady}>
      <TextField label="Name" hint="The program that will have it, such as shop. It is the source of its payments." value={name.value} onChange={(value) => (name.value = value)} fault={faultOf(error, "name") ?? (name.value ? nameFault(name.value) : null)} required maxLength={64} autocomplete="off" />
      <fieldset class="system-scopes">
        <legend class="label">What it may do</legend>
        {SCOPES.map(({ scope, text }) => (
          <CheckField key={scope} label={<strong>{scope}</strong>} hint={text} checked={scopes.value.includes(scope)} onChange={(on) => (scopes.value = on ? [...scopes.value, scope] : scopes.value.filter((each) => each !== scope))} />
        ))}
      </fieldset>
      <TextField label="Valid for days" value={days.value} onChange={(value) => (days.value = value)} inputMode="numeric" hint={`1 to ${DAYS_MAX}. Rotating it later can set a new expiry.`} fault={faultOf(error, "expires_in_days") ?? (typeof length === "number" ? null : length.fault)} />
    </Confirm>
  );
}

export function RotateKey({ of, open, onClose, onMade }: Asking & { of: ServiceKey; onMade: (key: NewKey) => void }) {
  const hours = useSignal("24");
  const days = useSignal("");
  const overlap = wholeOf(hours.value, 0, OVERLAP_HOURS_MAX);
  const length = days.value.trim() ? wholeOf(days.value, 1, DAYS_MAX) : null;
  const isExpired = Date.now() >= of.expires_at_ms;
  const action = useAction({ name: `Rotate the key ${of.name}`, shown: () => true }, async () => {
    const made = await write("post", "/service-keys/{key_id}/rotate", {
      params: { key_id: of.key_id }, body: { overlap_hours: Number(hours.value), expires_in_days: days.value.trim() ? Number(days.value) : null },
    });
    onMade(made);
    return `It has a new secret, and expires ${localTime(made.expires_at_ms)}. ${Number(hours.value) ? `Older ones work for ${plural(Number(hours.value), "hour")} more at most.` : "Older ones have ended."}`;
  });
  const error = action.error.value;
  const isReady = typeof overlap === "number" && (length === null ? !isExpired : typeof length === "number");
  return (
    <Confirm open={open} onClose={onClose} title={`Rotate the key ${of.name}`} action={action} verb="Make a new secret" danger={overlap === 0} disabled={!isReady}>
      <p>The key gets a new secret, which is shown once. Put it into the program before the old one ends.</p>
      <TextField label="The old secret works for hours" value={hours.value} onChange={(value) => (hours.value = value)} inputMode="numeric" hint={`0 to ${OVERLAP_HOURS_MAX}. 0 ends it at once: the program is refused until it has the new one.`} fault={faultOf(error, "overlap_hours") ?? (typeof overlap === "number" ? null : overlap.fault)} />
      <TextField label="New expiry in days" value={days.value} onChange={(value) => (days.value = value)} inputMode="numeric" hint={isExpired ? "The key has expired, so it needs a new expiry." : <>From now. Empty: it expires as before, <Time at={of.expires_at_ms} />.</>} fault={faultOf(error, "expires_in_days") ?? (length !== null && typeof length !== "number" ? length.fault : null)} />
    </Confirm>
  );
}

export function RevokeKey({ of, open, onClose, onDone }: Asking & { of: ServiceKey; onDone: () => void }) {
  const action = useAction({ name: `Revoke the key ${of.name}`, shown: () => true }, async () => {
    const key = await write("delete", "/service-keys/{key_id}", { params: { key_id: of.key_id } });
    onDone();
    return `The key ${key?.name ?? of.name} (${of.key_id}) is refused from now on, for good.`;
  });
  return (
    <Confirm open={open} onClose={onClose} title={`Revoke the key ${of.name}`} action={action} verb="Revoke it for good">
      <p>
        From the next request on, every secret of this key (<strong>{of.scopes.join(", ")}</strong>) is refused.
        {of.last_used_at_ms === null ? " It was never used." : <> It was last used <Ago at={of.last_used_at_ms} />.</>}
      </p>
      <p>This cannot be undone. What it did stays, and it stays in the list. To replace a secret, rotate the key instead.</p>
    </Confirm>
  );
}

/** The secret, in the page's memory only. */
export function NewSecret({ of, onClose }: { of: NewKey | null; onClose: () => void }) {
  return (
    <Dialog open={of !== null} onClose={onClose} title={`The secret of ${of?.name ?? ""}`}>
      {of && (
        <>
          <div class="dialog-body stack">
            <Message tone="warn" title="It is shown only now.">Keep it where the program reads it. If it is lost, rotate the key.</Message>
            <div class="system-secret">
              <code class="break" tabIndex={0}>{of.key}</code>
              <CopyButton text={of.key} what="the key" label="Copy" />
            </div>
            <p class="small soft">The program sends it as <code>Authorization: Bearer …</code>. Its scopes are {of.scopes.join(", ")}, and it is valid until <Time at={of.expires_at_ms} />.</p>
          </div>
          <div class="dialog-foot"><Button look="primary" onClick={onClose}>I have kept it</Button></div>
        </>
      )}
    </Dialog>
  );
}
