/** The fields of a stream, for the page New stream and for the settings of one. */
import { Plus, Trash2 } from "lucide-preact";
import { parsePoints, points } from "../../../format/points";
import { Button } from "../../../ui/buttons";
import { CheckField, SelectField, TextField } from "../../../ui/fields";
import { Panel } from "../../../ui/parts";
import { BACKUPS_MAX } from "./bounds";
import type { Faults } from "./check";
import { ProfileField } from "./ladder_fields";
import { BackupSource, FirstSource } from "./source_fields";
import { newSource, type FormValues } from "./values";

interface Props {
  values: FormValues;
  set: (changes: Partial<FormValues>) => void;
  faults: Faults;
  isNew: boolean;
}

export function StreamFields({ values, set, faults, isNew }: Props) {
  const price = parsePoints(values.price);
  const lease = parsePoints(values.leaseS);
  const isPriced = typeof price === "number" && typeof lease === "number" && price > 0;
  return (
    <div class="stack">
      <Panel title="Stream">
        <div class="form-columns">
          <TextField label="Title" value={values.title} fault={faults["title"]} maxLength={240} hint="What viewers read." onChange={(title) => set({ title })} />
          {isNew && (
            <TextField label="Id" value={values.streamId} fault={faults["stream_id"]} spellcheck={false} autocomplete="off" placeholder="made for you" hint="Part of addresses; it cannot be changed later." onChange={(streamId) => set({ streamId })} />
          )}
          <TextField
            label="Price, points a minute" value={values.price} fault={faults["rate_millipoints_per_minute"]} inputMode="decimal"
            hint={isPriced ? `An hour costs ${points(price * 60)} points. Viewers pay ${points(Math.ceil((price * lease) / 60_000))} points for every ${values.leaseS} s.` : "0: free. At most three decimals."}
            onChange={(value) => set({ price: value })}
          />
        </div>
      </Panel>
      <Panel title="Source">
        <div class="stack">
          <FirstSource field="ingest" value={values.ingest} faults={faults} onChange={(ingest) => set({ ingest })} />
          <Backups values={values} set={set} faults={faults} />
          <CheckField
            label="Show a still picture when no source works" hint="Viewers stay, and pay nothing meanwhile. Without it the stream is down until a source works." checked={values.slate}
            onChange={(slate) => set({ slate })}
          />
        </div>
      </Panel>
      <Panel title="Qualities">
        <div class="stack"><ProfileField values={values} set={set} faults={faults} /></div>
      </Panel>
      <MoreSettings values={values} set={set} faults={faults} />
    </div>
  );
}

function Backups({ values, set, faults }: Omit<Props, "isNew">) {
  const { backups } = values;
  return (
    <div class="stack tight">
      {backups.map((backup, n) => (
        <fieldset key={n} class="source-backup stack">
          <legend class="visually-hidden">Backup {n + 1}</legend>
          <div class="row spread">
            <strong>Backup {n + 1}</strong>
            <Button look="quiet" slim onClick={() => set({ backups: backups.filter((_, m) => m !== n) })}><Trash2 class="icon" aria-hidden="true" /> Remove backup {n + 1}</Button>
          </div>
          <BackupSource field={`backups.${n}`} value={backup} faults={faults} onChange={(value) => set({ backups: backups.map((each, m) => (m === n ? value : each)) })} />
        </fieldset>
      ))}
      {faults["backups"] && <p class="fault">{faults["backups"]}</p>}
      {backups.length < BACKUPS_MAX && (
        <div class="row">
          <Button slim onClick={() => set({ backups: [...backups, newSource("file")] })}><Plus class="icon" aria-hidden="true" /> Add a backup</Button>
          <span class="small soft">Backups play in order while the source fails.</span>
        </div>
      )}
    </div>
  );
}

const MORE = ["segment_seconds", "window_minutes", "lease_ms", "viewers_max", "frozen_after_s", "session_binding", "latency"];

function MoreSettings({ values, set, faults }: Omit<Props, "isNew">) {
  const isFaulty = MORE.some((field) => faults[field]);
  return (
    <details class="panel" open={isFaulty || undefined}>
      <summary class="form-more">More settings: delay, segments, rewinding, leases, limits</summary>
      <div class="body form-columns">
        <SelectField
          label="Delay" value={values.latency} fault={faults["latency"]} hint="How far behind the source viewers begin. Low stalls more easily."
          options={[{ value: "normal", label: "Normal: about 8 s" }, { value: "low", label: "Low: about 4 s, segments of 1 s" }]}
          onChange={(latency) => set(latency === "low" ? { latency, segmentSeconds: "1" } : { latency: "normal" })}
        />
        <TextField label="Segment, seconds" value={values.segmentSeconds} fault={faults["segment_seconds"]} inputMode="numeric" hint="1 to 10. Shorter: less delay, more requests." onChange={(segmentSeconds) => set({ segmentSeconds })} />
        <TextField label="Window, minutes" value={values.windowMinutes} fault={faults["window_minutes"]} inputMode="numeric" hint="How far viewers can go back." onChange={(windowMinutes) => set({ windowMinutes })} />
        <TextField label="Lease, seconds" value={values.leaseS} fault={faults["lease_ms"]} inputMode="decimal" hint="How much time a viewer pays ahead, 5 to 60." onChange={(leaseS) => set({ leaseS })} />
        <TextField label="Viewers at most" value={values.viewersMax} fault={faults["viewers_max"]} inputMode="numeric" hint="0: no limit. Sessions that began before a limit was set are not counted." onChange={(viewersMax) => set({ viewersMax })} />
        <TextField label="A frozen picture fails after, seconds" value={values.frozenAfterS} fault={faults["frozen_after_s"]} inputMode="numeric" hint="10 to 3600: then a source whose picture stands still without sound counts as failed. 0: off." onChange={(frozenAfterS) => set({ frozenAfterS })} />
        <SelectField
          label="When another device uses a session" value={values.binding} fault={faults["session_binding"]} hint="Compared by address and agent of the first device."
          options={[{ value: "off", label: "Do nothing" }, { value: "warn", label: "Only note it" }, { value: "enforce", label: "Refuse the other device" }]}
          onChange={(binding) => set({ binding: binding as FormValues["binding"] })}
        />
      </div>
    </details>
  );
}
