import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError, failingSinceMs, jsonOf } from "../api/client";
import { Poll, type Load } from "./poll";

let stop = (): void => undefined;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("document", Object.assign(new EventTarget(), { hidden: false }));
});

afterEach(() => {
  stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function started<T>(load: Load<T>): Poll<T> {
  const poll = new Poll(load, 2_000);
  stop = poll.start();
  return poll;
}

test("a fault of the page is shown, polled again, and breaks no reload", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
  let isBroken = true;
  const poll = started(async () => {
    if (isBroken) throw new TypeError("no such field");
    return 1;
  });
  await poll.reload();
  expect(poll.error.peek()).toMatchObject({ code: "page_fault", isOutage: false });
  expect(logged).toHaveBeenCalled();
  isBroken = false;
  // After two failures the next read waits for longer.
  await vi.advanceTimersByTimeAsync(4_000);
  expect([poll.data.peek(), poll.error.peek()]).toEqual([1, null]);
});

test("a reload begins after the read that is under way", async () => {
  const waiting: ((value: number) => void)[] = [];
  const poll = started<number>(() => new Promise((resolve) => waiting.push(resolve)));
  const reload = poll.reload();
  waiting[0]?.(1);
  await vi.waitFor(() => expect(waiting).toHaveLength(2));
  waiting[1]?.(2);
  await reload;
  expect(poll.data.peek()).toBe(2);
});

test("a poll that has ended reads no more, and keeps no late answer", async () => {
  let reads = 0;
  let answer = (_: number): void => undefined;
  const poll = started<number>(() => {
    reads += 1;
    return new Promise((resolve) => (answer = resolve));
  });
  stop();
  answer(1);
  await poll.reload();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([reads, poll.data.peek()]).toEqual([1, undefined]);
});

test("an answer that breaks off is an outage", async () => {
  await expect(jsonOf(new Response('{"items": ['))).rejects.toSatisfy((error: unknown) => error instanceof ApiError && error.isOutage);
  expect(failingSinceMs.peek()).not.toBeNull();
});
