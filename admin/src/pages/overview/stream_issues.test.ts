import { expect, it } from "vitest";
import type { Stream } from "./problems";
import { IssueRounds, ROUND_MAX, roundOf } from "./stream_issues";

const stream = (n: number, state = "live"): Stream => ({ stream_id: `s${n}`, state, desired_state: "live" }) as Stream;
const ids = (streams: readonly Stream[]): string[] => streams.map((each) => each.stream_id);

it("reads every live stream in turns, and no more than a round at once", async () => {
  const streams = Array.from({ length: 30 }, (_, n) => stream(n));
  let asked = 0;
  const rounds = new IssueRounds(async () => { asked += 1; return []; });
  const { signal } = new AbortController();
  expect((await rounds.next(streams, signal)).size).toBe(ROUND_MAX);
  expect(asked).toBe(ROUND_MAX);
  await rounds.next(streams, signal);
  expect((await rounds.next(streams, signal)).size).toBe(30);
});

it("reads those that are down each time, and leaves turns for the others", () => {
  const streams = [stream(0), stream(1, "backoff"), stream(2), stream(3)];
  expect(ids(roundOf(streams, 0, 2))).toEqual(["s1", "s0"]);
  expect(ids(roundOf(streams, 1, 2))).toEqual(["s1", "s2"]);
  const down = Array.from({ length: 9 }, (_, n) => stream(n, "failed"));
  expect(roundOf(down, 0, 4)).toHaveLength(4);
  expect(roundOf([], 3)).toEqual([]);
});

it("forgets a stream that is no longer live, and keeps the rest of what was found", async () => {
  const rounds = new IssueRounds(async (id) => [{ issue_id: id }] as never);
  const { signal } = new AbortController();
  await rounds.next([stream(0), stream(1)], signal);
  const found = await rounds.next([stream(0), { ...stream(1), desired_state: "stopped" } as Stream], signal);
  expect([...found.keys()]).toEqual(["s0"]);
});
