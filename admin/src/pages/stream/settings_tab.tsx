/** The settings of a stream: a change is tried first, and says what it will do before it is saved. */
import { useSignal } from "@preact/signals";
import { useLocation } from "preact-iso";
import { Archive } from "lucide-preact";
import { useAction } from "../../actions/action";
import { ApiError, write, type Schemas } from "../../api/client";
import { plural } from "../../format/words";
import type { Polled } from "../../live/poll";
import { Button, Confirm, SubmitButton } from "../../ui/buttons";
import { isCutOff, Message, Panel, Refusal, Time } from "../../ui/parts";
import { faultsOf } from "../streams/form/check";
import { focusFault } from "../streams/form/focus";
import { faultsOfApi } from "../streams/form/refused";
import { StreamFields } from "../streams/form/stream_form";
import { valuesOf, type FormValues, type Settings } from "../streams/form/values";
import { endsText, type Impact } from "../streams/impact";
import { ImpactNote } from "../streams/impact_note";
import { changesOf, isOutdated, NAMES, valueText, requestOfStream } from "./changes";
import { Conflict } from "./conflict";

type Edit = Schemas["EditAnswer"];
// The generated type wants every field, but those that are left out stay as they are.
type EditRequest = Schemas["EditStreamRequest"];
const isChanged = (error: ApiError): boolean => error.status === 412;
/** As much of an ETag as the API compares: the version. */
const tagOf = (stream: Settings): string => `"${stream.version}"`;

export function SettingsTab({ polled, stream, changed }: { polled: Polled<Settings>; stream: Settings; changed: () => Promise<void> }) {
  // What somebody began with. A poll brings newer versions, which must not replace what is being typed.
  const base = useSignal(stream);
  const values = useSignal(valuesOf(stream));
  const isChecked = useSignal(false);
  const effect = useSignal<Edit | null>(null);
  const begin = (from: Settings, given: FormValues = valuesOf(from)): void => {
    base.value = from;
    values.value = given;
    effect.value = null;
    isChecked.value = false;
  };
  const params = { stream_id: stream.stream_id };
  const changes = (): ReturnType<typeof changesOf> => changesOf(base.peek(), values.peek());
  const tried = useAction({ name: "Try the change", shown: () => true }, async () => {
    effect.value = await write("patch", "/streams/{stream_id}", { params, query: { dry_run: true }, body: changes() as EditRequest, ifMatch: tagOf(base.peek()) });
    return null;
  });
  const save = useAction({ name: "Save the settings", shown: isChanged }, async () => {
    const names = Object.keys(changes()).length;
    const saved = await write("patch", "/streams/{stream_id}", { params, query: { dry_run: false }, body: changes() as EditRequest, ifMatch: tagOf(base.peek()) });
    begin(saved);
    await changed();
    return `${plural(names, "setting")} of “${saved.title}” changed. ${saved.applies === "restart" ? `The encoder restarts; ${viewersText(saved)}.` : "The encoder keeps running."}`;
  });
  const newer = polled.data.value ?? stream;
  const conflict = [tried.error.value, save.error.value].find((error) => error && isChanged(error));
  const isOld = isOutdated(base.value, newer);
  const given = changesIfValid(base.value, values.value);
  const isEdited = given === null || Object.keys(given).length > 0;
  if (isOld && !isEdited) begin(newer);
  const found = isChecked.value ? faultsOf(values.value, false) : {};
  const error = tried.error.value && !isChanged(tried.error.value) ? tried.error.value : null;
  const submit = (event: Event): void => {
    event.preventDefault();
    isChecked.value = true;
    if (Object.keys(faultsOf(values.peek(), false)).length) focusFault();
    else void tried.run().then((worked) => worked === false && focusFault());
  };
  return (
    <>
      <form class="stack stream-form" noValidate onSubmit={submit}>
        {isOld && isEdited && (
          <Conflict
            base={base.value} mine={values.value} theirs={newer} isRefused={conflict !== undefined}
            onTake={(merged) => {
              tried.clear();
              save.clear();
              begin(newer, merged);
            }}
          />
        )}
        {conflict && !isOld && <Refusal error={conflict} title="Somebody else changed the stream. Their version is being loaded." />}
        <StreamFields
          values={values.value} faults={{ ...faultsOfApi(tried.error.value, values.value), ...found }} isNew={false}
          set={(changed) => {
            values.value = { ...values.peek(), ...changed };
            effect.value = null;
            tried.clear();
          }}
        />
        {error && <Refusal error={error} title="The change cannot be made." />}
        {Object.keys(found).length > 0 && <Message tone="bad" live>{plural(Object.keys(found).length, "field")} cannot be accepted. What is allowed stands at each.</Message>}
        <div class="form-foot row">
          <SubmitButton action={tried} disabled={!isEdited || isOld}>See what this changes …</SubmitButton>
          <Button disabled={!isEdited} onClick={() => begin(newer)}>Discard the changes</Button>
          <span class="small soft">Version {base.value.version}, created <Time at={base.value.created_at_ms} /></span>
        </div>
      </form>
      <Confirm open={effect.value !== null} onClose={() => (effect.value = null)} title="Save the settings" action={save} verb="Save" danger={effect.value?.applies === "restart"}>
        {effect.value && <Effect edit={effect.value} base={base.value} values={values.value} />}
      </Confirm>
      <ArchivePanel stream={newer} />
    </>
  );
}

/** Return the changes, or null while the values cannot be read. */
function changesIfValid(base: Settings, values: FormValues): ReturnType<typeof changesOf> | null {
  return Object.keys(faultsOf(values, false)).length ? null : changesOf(base, values);
}

const viewersText = ({ viewers }: Edit): string => (viewers === 0 ? "nobody watches it now" : `${viewers >= 1000 ? "1,000 or more viewers" : plural(viewers, "viewer")} will see a break of some seconds`);

function Effect({ edit, base, values }: { edit: Edit; base: Settings; values: FormValues }) {
  const before = requestOfStream(base);
  const changes = Object.entries(changesOf(base, values)) as [keyof typeof NAMES, unknown][];
  return (
    <>
      <ul class="stream-list">
        {changes.map(([name, value]) => (
          <li key={name} class="break"><strong>{NAMES[name]}</strong>: {valueText(name, before[name])} → {valueText(name, value)}</li>
        ))}
      </ul>
      {edit.applies === "none" && <Message>This changes nothing.</Message>}
      {edit.applies === "hot" && <Message tone="good">The encoder keeps running: viewers notice nothing. A price counts from each viewer's next session.</Message>}
      {edit.applies === "restart" && <Message tone="warn">The encoder restarts: {viewersText(edit)}.{edit.viewers > 0 && " They pay nothing for what is not delivered."}</Message>}
    </>
  );
}

function ArchivePanel({ stream }: { stream: Settings }) {
  const asks = useSignal(false);
  const impact = useSignal<Impact | null>(null);
  const { route } = useLocation();
  const archive = useAction({ name: "Archive" }, async () => {
    await write("delete", "/streams/{stream_id}", { params: { stream_id: stream.stream_id }, ifMatch: tagOf(stream) });
    const seen = impact.peek();
    route("/admin/streams");
    return `“${stream.title}” is archived.${seen ? ` ${endsText(seen)}.` : ""}`;
  });
  return (
    <Panel title="Archive">
      <div class="row spread">
        <span>Stops the stream and hides it. Its sessions and ledger lines stay. It cannot be undone, and its id cannot be used again.</span>
        <Button look="danger" disabled={isCutOff()} onClick={() => (asks.value = true)}><Archive class="icon" aria-hidden="true" /> Archive …</Button>
      </div>
      <Confirm open={asks.value} onClose={() => (asks.value = false)} title={`Archive “${stream.title}”`} action={archive} verb="Archive the stream">
        <p>The stream stops and disappears from all lists. This cannot be undone.</p>
        <ImpactNote streamId={stream.stream_id} found={impact} say={endsText} />
      </Confirm>
    </Panel>
  );
}
