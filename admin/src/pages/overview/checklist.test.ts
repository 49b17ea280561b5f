import { expect, it } from "vitest";
import { playCommands, stepsOf, type Found } from "./checklist";

const done = (found: Partial<Found>): string[] => stepsOf({ streams: [], viewers: 0, payments: 0, sessions: [], ...found }).filter((each) => each.isDone).map((each) => each.key);
const session = (changes: object): Found["sessions"][number] => ({ session_id: "s", kind: "viewing", charged_millipoints: null, is_canary: false, ...changes }) as Found["sessions"][number];

it("begins with nothing done", () => {
  expect(done({})).toEqual([]);
});

it("sees a stream, and only later that it is live", () => {
  expect(done({ streams: [{ state: "starting" }] as never })).toEqual(["stream"]);
  expect(done({ streams: [{ state: "live" }] as never })).toEqual(["stream", "live"]);
});

it("takes neither the canary nor a preview for a viewer", () => {
  expect(done({ sessions: [session({ is_canary: true, charged_millipoints: 9 }), session({ kind: "preview" })] })).toEqual([]);
});

it("is done with the first lease, also where the role may not see payments", () => {
  const found = { streams: [{ state: "stopped" }] as never, payments: undefined, sessions: [session({ charged_millipoints: 50 })] };
  expect(done(found)).toEqual(["stream", "live", "viewer", "credit", "watch", "ledger"]);
  expect(done({ ...found, sessions: [session({ charged_millipoints: 0 })] })).toEqual(["stream", "viewer", "watch"]);
});

it("names the server that the page is from", () => {
  expect(playCommands("https://tv.example.org", "news")).toBe("player --server https://tv.example.org login\nplayer play news");
});
