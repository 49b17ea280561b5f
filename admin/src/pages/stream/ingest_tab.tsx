/** Where to send a stream: address and key, and how OBS and ffmpeg are set. */
import { useSignal } from "@preact/signals";
import { Check, Copy, Eye, EyeOff, KeyRound } from "lucide-preact";
import { useAction } from "../../actions/action";
import { write } from "../../api/client";
import { Button, Confirm } from "../../ui/buttons";
import { Empty, isCutOff, Panel } from "../../ui/parts";
import type { Settings } from "../streams/form/values";
import { masked, senderOf } from "./senders";

const COPIED_MS = 2_000;

export function IngestTab({ stream, changed }: { stream: Settings; changed: () => Promise<void> }) {
  const isShown = useSignal(false);
  const asks = useSignal(false);
  const rotate = useAction({ name: "New key" }, async () => {
    await write("post", "/streams/{stream_id}/ingest-key", { params: { stream_id: stream.stream_id } });
    await changed();
    return `“${stream.title}” has a new key. A sender with the old one is disconnected within seconds: give it the new one.`;
  });
  const sender = senderOf(stream);
  if (!sender) {
    return (
      <Panel title="Ingest">
        <Empty title="This stream does not wait for a sender.">
          Its source is fetched by the worker. <a href={`/admin/streams/${stream.stream_id}?tab=settings`}>Change the source</a> to listen for RTMP or SRT.
        </Empty>
      </Panel>
    );
  }
  const show = (text: string): string => (isShown.value ? text : masked(text, stream.ingest_key));
  return (
    <>
      <Panel
        title={`Where to send by ${sender.protocol}`}
        side={
          <>
            <Button slim onClick={() => (isShown.value = !isShown.value)}>
              {isShown.value ? <EyeOff class="icon" aria-hidden="true" /> : <Eye class="icon" aria-hidden="true" />} {isShown.value ? "Hide the key" : "Show the key"}
            </Button>
            <Button slim disabled={isCutOff()} onClick={() => (asks.value = true)}><KeyRound class="icon" aria-hidden="true" /> New key …</Button>
          </>
        }
      >
        <dl class="facts">
          {sender.values.map(({ name, text, isSecret }) => [
            <dt key={`${name} name`}>{name}</dt>,
            <dd key={name} class="stream-secret"><code>{isSecret ? show(text) : text}</code> <CopyButton name={name} text={text} /></dd>,
          ])}
        </dl>
      </Panel>
      <div class="columns">
        <Panel title="OBS">
          <ol class="stream-steps">{sender.obs.map((step) => <li key={step}>{step}</li>)}</ol>
        </Panel>
        <Panel title="ffmpeg" side={<CopyButton name="The command" text={sender.ffmpeg} />}>
          <pre class="stream-lines" tabIndex={0} aria-label="Command for ffmpeg">{show(sender.ffmpeg)}</pre>
          <p class="small soft">The key is part of the command: other users of that machine may see it in the list of processes.</p>
        </Panel>
      </div>
      <Confirm open={asks.value} onClose={() => (asks.value = false)} title="New key" action={rotate} verb="Make a new key">
        <p>The old key stops working. A sender that uses it is disconnected within seconds, and the stream is down, or on its backup, until a sender comes with the new key. Viewers stay and pay nothing meanwhile.</p>
      </Confirm>
    </>
  );
}

function CopyButton({ name, text }: { name: string; text: string }) {
  const state = useSignal<"" | "copied" | "failed">("");
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => (state.value = "copied"),
      () => (state.value = "failed"),
    ).finally(() => window.setTimeout(() => (state.value = ""), COPIED_MS));
  };
  return (
    <>
      <Button slim look="quiet" title={`Copy: ${name}`} onClick={copy}>
        {state.value === "copied" ? <Check class="icon" aria-hidden="true" /> : <Copy class="icon" aria-hidden="true" />}
      </Button>
      <span class="small" role="status">{state.value === "copied" ? "copied" : state.value === "failed" ? "not allowed here: show it and copy it by hand" : ""}</span>
    </>
  );
}
