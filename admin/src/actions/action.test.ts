import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "../api/client";
import { newAction } from "./action";
import { notices } from "./notices";

const refused = new ApiError({ status: 409, code: "taken", detail: "It is taken." }, "r1");

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("window", globalThis);
  notices.value = [];
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("a form shows its failure itself, unless it was closed meanwhile", async () => {
  let fail = (_: Error): void => undefined;
  const act = (): Promise<string> => new Promise((_, reject) => (fail = reject));
  const action = newAction({ current: { options: { name: "Pay", shown: () => true }, act } });
  const first = action.run();
  fail(refused);
  expect([await first, action.error.peek(), notices.peek()]).toEqual([false, refused, []]);
  const second = action.run();
  expect(await action.run()).toBeUndefined();
  action.clear();
  fail(refused);
  expect([await second, action.error.peek(), action.running.peek()]).toEqual([false, null, false]);
  expect(notices.peek()).toMatchObject([{ kind: "failed", title: "Pay", text: "It is taken." }]);
});

test("a fault of the page is a failure like others", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const action = newAction({ current: { options: { name: "Pay" }, act: () => Promise.reject(new TypeError("x")) } });
  expect(await action.run()).toBe(false);
  expect(notices.peek()).toMatchObject([{ kind: "failed", error: { code: "page_fault" } }]);
});

test("the notice has the name that the action began with", async () => {
  let done = (_: string): void => undefined;
  const given = { current: { options: { name: "Restart" }, act: (): Promise<string> => new Promise((resolve) => (done = resolve)) } };
  const run = newAction(given).run();
  given.current = { ...given.current, options: { name: "Stop" } };
  done("It restarts.");
  await run;
  expect(notices.peek()).toMatchObject([{ title: "Restart", text: "It restarts." }]);
});
