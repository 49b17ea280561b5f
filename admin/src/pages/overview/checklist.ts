/** The way from an empty platform to the first ledger entry. Each step's state is what the API says. */
import type { Schemas } from "../../api/client";
import type { Stream } from "./problems";

export type Session = Pick<Schemas["SessionAnswer"], "session_id" | "kind" | "charged_millipoints" | "is_canary">;

/** What the API says. Undefined: not for this role. */
export interface Found {
  streams: readonly Stream[];
  viewers: number;
  payments: number | undefined;
  sessions: readonly Session[];
}

export type StepKey = "stream" | "live" | "viewer" | "credit" | "watch" | "ledger";

export interface Step {
  key: StepKey;
  title: string;
  isDone: boolean;
}

/** Return the steps in their order. */
export function stepsOf({ streams, viewers, payments, sessions }: Found): Step[] {
  const watched = sessions.filter((each) => !each.is_canary && each.kind !== "preview");
  const paid = watched.some((each) => (each.charged_millipoints ?? 0) > 0);
  return [
    { key: "stream", title: "Create a stream", isDone: streams.length > 0 },
    { key: "live", title: "Set it live, and wait until it is delivered", isDone: streams.some((each) => each.state === "live") || paid },
    { key: "viewer", title: "Create an account for a viewer", isDone: viewers > 0 || watched.length > 0 },
    // Who has paid had points.
    { key: "credit", title: "Give the viewer points", isDone: (payments ?? 0) > 0 || paid },
    { key: "watch", title: "Watch it with the player", isDone: watched.length > 0 },
    { key: "ledger", title: "See the first ledger entry", isDone: paid },
  ];
}

/** Return the commands that watch a stream, one a line. */
export function playCommands(server: string, streamId: string): string {
  return `player --server ${server} login\nplayer play ${streamId}`;
}
