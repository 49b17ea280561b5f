import { expect, test } from "vitest";
import { ApiError } from "../../api/client";
import type { LiveRow } from "./live_rows";
import { forAll, resultWords, stopSentence, type Kicked, type Stopped } from "./stop_many";

const row = { id: "s" } as LiveRow;
const ended = (end_reason: string, more: object = {}): Stopped => ({
  row, error: null, end: { end_reason, charged_millipoints: 2000, refunded_millipoints: 500, block: null, ...more } as unknown as Kicked,
});
const failed: Stopped = { row, end: null, error: new ApiError({ status: 404, code: "session_not_found", detail: "There is no session s." }, "r1") };

test("a few run at a time, and results keep their order", async () => {
  let running = 0;
  let most = 0;
  const done = await forAll([...Array(20).keys()], async (n) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, n % 3));
    running -= 1;
    return n * 2;
  });
  expect(done).toEqual([...Array(20).keys()].map((n) => n * 2));
  expect(most).toBe(6);
});

test("the sentence counts what has ended, what had, and what failed", () => {
  const blocked = { block: { user_id: "u_1" } };
  expect(stopSentence([ended("kicked", blocked), ended("kicked", blocked), ended("viewer_stopped"), failed])).toBe(
    "2 sessions ended, 1.000 points given back. 1 viewer blocked. 1 had ended before. 1 could not be ended.",
  );
  expect(stopSentence([ended("kicked")])).toBe("1 session ended, 0.500 points given back.");
});

test("each result is said", () => {
  expect(resultWords(ended("viewer_stopped"))).toBe("had ended before (viewer stopped): cost 2.000, given back 0.500");
  expect(resultWords(failed)).toBe("There is no session s.");
});
