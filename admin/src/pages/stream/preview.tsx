/** The picture of a stream, by a free session of ten minutes that the audit log names. */
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { Eye, Square } from "lucide-preact";
import { useAction } from "../../actions/action";
import { ApiError, write, type Schemas } from "../../api/client";
import { duration } from "../../format/units";
import { nowMs } from "../../live/clock";
import { ActionButton, Button } from "../../ui/buttons";
import { Message } from "../../ui/parts";
import type { Settings } from "../streams/form/values";
import type { Player } from "./player";

type Opened = Schemas["StartAnswer"];
/** Equal to the API's length of a preview; no heartbeat extends it. */
const PREVIEW_MS = 600_000;

export function Preview({ stream }: { stream: Settings }) {
  const opened = useSignal<(Opened & { endsAtMs: number }) | null>(null);
  const ended = useSignal<string | null>(null);
  const isHere = useRef(true);
  useEffect(() => () => {
    isHere.current = false;
  }, []);
  const open = useAction({ name: "Preview" }, async () => {
    ended.value = null;
    const made = await write("post", "/streams/{stream_id}/preview", { params: { stream_id: stream.stream_id } });
    if (!isHere.current) {
      // Nobody would end the session before its ten minutes are over.
      await write("post", "/playback/stop", { body: { session_id: made.session_id } });
      return null;
    }
    opened.value = { ...made, endsAtMs: Date.now() + PREVIEW_MS };
    return "The preview is open for ten minutes. The audit log names it.";
  });
  const session = opened.value;
  const isLive = stream.desired_state === "live";
  if (session) {
    return (
      <Screen
        key={session.session_id} session={session}
        onEnd={(why) => {
          opened.value = null;
          ended.value = why;
        }}
      />
    );
  }
  return (
    <div class="stack tight">
      {ended.value && <Message>{ended.value}</Message>}
      <p class="soft">See what viewers see, for ten minutes. It costs nothing, counts as a session, and is written into the audit log.</p>
      {!isLive && <p class="soft">The stream is {stream.desired_state}: start it first.</p>}
      <div><ActionButton action={open} disabled={!isLive}>{!open.running.value && <Eye class="icon" aria-hidden="true" />} Open the preview</ActionButton></div>
    </div>
  );
}

function Screen({ session, onEnd }: { session: Opened & { endsAtMs: number }; onEnd: (why: string | null) => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const fault = useSignal<string | null>(null);
  const end = useRef(onEnd);
  end.current = onEnd;
  useEffect(() => {
    let player: Player | null = null;
    let isOver = false;
    let renewal: number | undefined;
    const { session_id } = session;
    const renew = async (): Promise<void> => {
      try {
        const fresh = await write("post", "/playback/renew", { body: { session_id } });
        player?.setToken(fresh.play_token);
        plan(fresh.expires_in);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.isOutage) plan(10);
        else if (!isOver) end.current(`The preview has ended: ${error.message}`);
      }
    };
    // Well before the end, so that a failed renewal can be repeated.
    const plan = (expiresInS: number): void => {
      if (!isOver) renewal = window.setTimeout(() => void renew(), expiresInS * 500);
    };
    const timeout = window.setTimeout(() => end.current("The preview has ended after ten minutes. Open it again to go on."), session.endsAtMs - Date.now());
    void import("./player").then(({ play }) => {
      if (isOver || !video.current) return;
      player = play(video.current, session.play_url, session.play_token, (text) => (fault.value = text));
      plan(session.expires_in);
    });
    return () => {
      isOver = true;
      window.clearTimeout(renewal);
      window.clearTimeout(timeout);
      player?.end();
      // Without an answer the session ends by itself, after its ten minutes.
      write("post", "/playback/stop", { body: { session_id } }).catch((error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
      });
    };
  }, [session]);
  return (
    <div class="stack tight">
      <video ref={video} class="stream-screen" muted autoPlay playsInline controls aria-label="Preview of the stream" />
      {fault.value && <Message tone="warn" live>{fault.value}</Message>}
      <div class="row spread">
        <span class="small soft">Ends in {duration(session.endsAtMs - nowMs.value)}. The sound is off: turn it on in the picture.</span>
        <Button slim onClick={() => onEnd(null)}><Square class="icon" aria-hidden="true" /> Close the preview</Button>
      </div>
    </div>
  );
}
