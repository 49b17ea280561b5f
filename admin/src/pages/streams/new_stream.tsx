/** The page New stream: a form that says what each choice means, and checks as the API does. */
import { useSignal } from "@preact/signals";
import { useLocation } from "preact-iso";
import { useAction } from "../../actions/action";
import { ApiError, write } from "../../api/client";
import { plural } from "../../format/words";
import { CheckField } from "../../ui/fields";
import { SubmitButton } from "../../ui/buttons";
import { Message, PageHead, Refusal } from "../../ui/parts";
import { faultsOf } from "./form/check";
import { focusFault } from "./form/focus";
import { faultsOfApi } from "./form/refused";
import { StreamFields } from "./form/stream_form";
import { NEW_STREAM, requestOf, type FormValues } from "./form/values";
import "./streams.css";

/** The stream exists by now, so a failed start must not look like a failed creation. */
async function start(streamId: string): Promise<string> {
  try {
    await write("post", "/streams/{stream_id}/state", { params: { stream_id: streamId }, body: { state: "live" } });
    return "and a worker starts it.";
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return `but it could not be started: ${error.message}`;
  }
}

export function NewStream() {
  const values = useSignal<FormValues>(NEW_STREAM);
  const isChecked = useSignal(false);
  const starts = useSignal(false);
  const { route } = useLocation();
  const create = useAction({ name: "New stream", shown: () => true }, async () => {
    const given = values.peek();
    const stream_id = given.streamId || null;
    const made = await write("post", "/streams", { body: { ...requestOf(given), stream_id } });
    const started = starts.peek() ? await start(made.stream_id) : null;
    const listens = made.ingest_address !== null;
    route(`/admin/streams/${made.stream_id}${listens ? "?tab=ingest" : ""}`);
    const next = listens ? "Give its address and key to the sender." : "";
    return `“${made.title}” exists, ${started ?? "and is stopped: start it when you like."} ${next}`.trim();
  });
  const error = create.error.value;
  const found = isChecked.value ? faultsOf(values.value, true) : {};
  const faults = { ...faultsOfApi(error, values.value), ...found };
  const wrong = Object.keys(found).length;
  const submit = (event: Event): void => {
    event.preventDefault();
    isChecked.value = true;
    if (Object.keys(faultsOf(values.peek(), true)).length) focusFault();
    else void create.run().then((worked) => worked === false && focusFault());
  };
  return (
    <form class="stack stream-form" noValidate onSubmit={submit}>
      <PageHead title="New stream" />
      <StreamFields
        values={values.value} faults={faults} isNew
        set={(changes) => {
          values.value = { ...values.peek(), ...changes };
          create.clear();
        }}
      />
      {error && <Refusal error={error} title="The stream was not created." />}
      {wrong > 0 && <Message tone="bad" live>{plural(wrong, "field")} cannot be accepted. What is allowed stands at each.</Message>}
      <div class="form-foot row">
        <SubmitButton action={create}>Create the stream</SubmitButton>
        <a class="button" href="/admin/streams">Cancel</a>
        <CheckField label="and start it" checked={starts.value} onChange={(checked) => (starts.value = checked)} />
      </div>
    </form>
  );
}
