/** The first run: from "create a stream" to the first ledger entry. It goes away when all is done. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { CircleCheck, Circle } from "lucide-preact";
import { get } from "../../api/client";
import { usePoll } from "../../live/poll";
import { administers, finances, operates } from "../../session/token";
import { Button } from "../../ui/buttons";
import { CopyButton } from "../../ui/copy";
import { Freshness, Panel } from "../../ui/parts";
import { playCommands, stepsOf, type Found, type Step } from "./checklist";

const KEPT = "tollcast-first-run";
const STEPS_MS = 5_000;
/** Of each state. The canary's are among them, and there are few on a new platform. */
const SESSIONS = 20;

/** Storage that may be forbidden: then the list is shown each time. */
function isOver(): boolean {
  try {
    return localStorage.getItem(KEPT) !== null;
  } catch {
    return false;
  }
}

function keep(how: "done" | "dismissed"): void {
  try {
    localStorage.setItem(KEPT, how);
  } catch {
    // It only comes back after a reload.
  }
}

export function FirstRun() {
  const over = useSignal(isOver());
  if (over.value) return null;
  const end = (how: "done" | "dismissed"): void => {
    keep(how);
    over.value = true;
  };
  return <Checklist onEnd={end} />;
}

async function load(_: string | undefined, signal: AbortSignal): Promise<Found> {
  const one = { limit: 1 } as const;
  const [streams, viewers, payments, active, ended] = await Promise.all([
    get("/streams", { query: { limit: 50 }, signal }),
    get("/users", { query: { ...one, role: "viewer" }, signal }),
    finances() ? get("/payments", { query: one, signal }) : undefined,
    get("/sessions", { query: { limit: SESSIONS, state: "active" }, signal }),
    get("/sessions", { query: { limit: SESSIONS, state: "ended" }, signal }),
  ]);
  return { streams: streams.items, viewers: viewers.items.length, payments: payments?.items.length, sessions: [...active.items, ...ended.items] };
}

function Checklist({ onEnd }: { onEnd: (how: "done" | "dismissed") => void }) {
  const wasOpen = useSignal(false);
  const found = usePoll("first run", load, STEPS_MS);
  const data = found.data.value;
  const steps = data ? stepsOf(data) : [];
  const done = steps.filter((each) => each.isDone).length;
  const isDone = data !== undefined && done === steps.length;
  useEffect(() => {
    if (!data) return;
    if (!isDone) wasOpen.value = true;
    // Somebody who has just finished sees it; on a platform in use the list is never shown, and reads no more.
    else if (wasOpen.peek()) keep("done");
    else onEnd("done");
  }, [data, isDone]);
  if (!data || (isDone && !wasOpen.value)) return null;
  const next = steps.find((each) => !each.isDone)?.key;
  return (
    <Panel
      title={isDone ? "All set: the first viewer has paid" : "First steps"}
      side={<><span class="small soft">{done} of {steps.length} done</span><Freshness of={found} /><Button look="quiet" slim onClick={() => onEnd(isDone ? "done" : "dismissed")}>{isDone ? "Close" : "Dismiss"}</Button></>}
    >
      <ol class="overview-steps">
        {steps.map((step) => <Line key={step.key} step={step} isNext={step.key === next} found={data} />)}
      </ol>
    </Panel>
  );
}

function Line({ step, isNext, found }: { step: Step; isNext: boolean; found: Found }) {
  const Icon = step.isDone ? CircleCheck : Circle;
  return (
    <li class={step.isDone ? "is-done" : isNext ? "is-next" : ""} aria-current={isNext ? "step" : undefined}>
      <Icon class="icon" aria-hidden="true" />
      <div class="stack tight">
        <span class="row spread">
          <span><strong>{step.title}</strong><span class="visually-hidden">{step.isDone ? " (done)" : " (to do)"}</span></span>
          <Where step={step} found={found} />
        </span>
        {!step.isDone && isNext && <Help step={step} found={found} />}
      </div>
    </li>
  );
}

/** The page where a step is done. */
function Where({ step, found }: { step: Step; found: Found }) {
  const stream = found.streams.find((each) => each.state === "live") ?? found.streams[0];
  const session = found.sessions.find((each) => !each.is_canary);
  switch (step.key) {
    case "stream":
      return operates() ? <a href={step.isDone ? "/admin/streams" : "/admin/streams/new"}>{step.isDone ? "Streams" : "New stream"}</a> : null;
    case "live":
      return operates() && stream ? <a href={`/admin/streams/${encodeURIComponent(stream.stream_id)}`}>{stream.title}</a> : null;
    case "viewer":
    case "credit":
      return <a href="/admin/users">Users</a>;
    case "watch":
      return <a href="/admin/viewers">Live viewers</a>;
    case "ledger":
      return session ? <a href={`/admin/sessions/${encodeURIComponent(session.session_id)}`}>Last session</a> : <a href="/admin/sessions">Sessions</a>;
  }
}

function Help({ step, found }: { step: Step; found: Found }) {
  const stream = found.streams.find((each) => each.state === "live") ?? found.streams[0];
  switch (step.key) {
    case "stream":
      return <p class="small soft">{operates() ? "A file, an address or a sender such as OBS can be its source." : "Someone with the role operator creates it."}</p>;
    case "live":
      return <p class="small soft">Start it on its page. It is delivered when its state is live, a few seconds later.</p>;
    case "viewer":
      return <p class="small soft">{administers() ? "Create one with the role viewer and a password." : "An admin creates accounts."}</p>;
    case "credit":
      return <p class="small soft">{finances() ? "Open the viewer's page, and credit the wallet." : "Someone with the role finance credits the wallet."}</p>;
    case "watch":
      return <Commands text={playCommands(location.origin, stream?.stream_id ?? "STREAM_ID")} />;
    case "ledger":
      return <p class="small soft">The first lease is paid when the session starts, and the ledger has it at once.</p>;
  }
}

function Commands({ text }: { text: string }) {
  return (
    <>
      <p class="small soft">In a terminal, as the viewer:</p>
      <div class="overview-commands">
        <pre tabIndex={0}>{text}</pre>
        <CopyButton text={text} what="the commands" />
      </div>
    </>
  );
}
