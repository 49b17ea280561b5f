/** Start, pause, stop and restart of a stream. What ends sessions is confirmed, with what it will do. */
import { useSignal } from "@preact/signals";
import { Pause, Play, RotateCw, Square } from "lucide-preact";
import { useAction } from "../../actions/action";
import { write } from "../../api/client";
import { ActionButton, Button, Confirm } from "../../ui/buttons";
import { isCutOff } from "../../ui/parts";
import { endsText, sessionsText, type Impact } from "./impact";
import { ImpactNote } from "./impact_note";

interface CommandedStream {
  stream_id: string;
  title: string;
  desired_state: "live" | "paused" | "stopped";
}
type Asked = "pause" | "stop" | "restart";

/** The buttons that make sense in this state. With `slim` they have only icons. */
export function StreamCommands({ stream, changed, slim = false }: { stream: CommandedStream; changed: () => Promise<void>; slim?: boolean }) {
  const asked = useSignal<Asked | null>(null);
  const impact = useSignal<Impact | null>(null);
  const params = { stream_id: stream.stream_id };
  const quoted = `“${stream.title}”`;
  const start = useAction({ name: "Start" }, async () => {
    await write("post", "/streams/{stream_id}/state", { params, body: { state: "live" } });
    await changed();
    return `${quoted} is to be live now. A worker starts it, usually within seconds.`;
  });
  const command = useAction({ name: asked.value === "restart" ? "Restart" : asked.value === "pause" ? "Pause" : "Stop" }, async () => {
    const what = asked.peek();
    if (what === "restart") await write("post", "/streams/{stream_id}/restart", { params });
    else await write("post", "/streams/{stream_id}/state", { params, body: { state: what === "pause" ? "paused" : "stopped" } });
    await changed();
    const seen = impact.peek();
    if (what === "restart") return `The encoder of ${quoted} restarts.${seen?.sessions ? ` ${capital(sessionsText(seen))} stay.` : ""}`;
    return `${quoted} is ${what === "pause" ? "paused" : "stopped"}.${seen ? ` ${endsText(seen)}.` : ""}`;
  });
  const ask = (what: Asked) => (): void => {
    asked.value = what;
  };
  const isLive = stream.desired_state === "live";
  const isStopped = stream.desired_state === "stopped";
  const what = asked.value;
  return (
    <div class="row stream-commands">
      {!isLive && (
        <ActionButton action={start} slim={slim} look={slim ? "plain" : "primary"} title={slim ? `Start ${stream.title}` : "Start"}>
          {!start.running.value && <Play class="icon" aria-hidden="true" />} {!slim && "Start"}
        </ActionButton>
      )}
      {isLive && (
        <Command slim={slim} name="Restart" of={stream.title} onClick={ask("restart")}><RotateCw class="icon" aria-hidden="true" /></Command>
      )}
      {isLive && (
        <Command slim={slim} name="Pause" of={stream.title} onClick={ask("pause")}><Pause class="icon" aria-hidden="true" /></Command>
      )}
      {!isStopped && (
        <Command slim={slim} name="Stop" of={stream.title} onClick={ask("stop")}><Square class="icon" aria-hidden="true" /></Command>
      )}
      <Confirm
        open={what !== null}
        onClose={() => (asked.value = null)}
        title={what === "restart" ? `Restart ${quoted}` : what === "pause" ? `Pause ${quoted}` : `Stop ${quoted}`}
        verb={what === "restart" ? "Restart the encoder" : what === "pause" ? "Pause the stream" : "Stop the stream"}
        danger={what !== "restart"}
        action={command}
      >
        <p>
          {what === "restart"
            ? "The encoder ends and starts again, and the source is opened again. Viewers stay; their picture waits for a few seconds, and no viewer pays for time that is not delivered."
            : what === "pause"
              ? "The encoder ends, and the sender is disconnected. Viewers are told that the stream is paused. Start continues it."
              : "The encoder ends, and the sender is disconnected. Viewers are told that the stream has stopped. Start begins it again."}
        </p>
        <ImpactNote
          streamId={stream.stream_id}
          found={impact}
          say={(found) => (what === "restart" ? (found.sessions ? `${capital(sessionsText(found))} see the break` : "Nobody watches it now") : endsText(found))}
        />
      </Confirm>
    </div>
  );
}

function Command({ slim, name, of, onClick, children }: { slim: boolean; name: string; of: string; onClick: () => void; children: preact.ComponentChildren }) {
  return (
    <Button slim={slim} title={slim ? `${name} ${of} …` : `${name} …`} disabled={isCutOff()} onClick={onClick}>
      {children} {!slim && `${name} …`}
    </Button>
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
