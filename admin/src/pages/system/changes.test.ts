import { expect, it } from "vitest";
import { changesOf, isActorId, targetHref } from "./changes";

it("says what changed, what was set, and the details, with units in place of their names", () => {
  const found = changesOf({
    before: { balance_millipoints: 1000, disabled: false }, after: { balance_millipoints: 2500, disabled: true, source: "shop" }, details: { reason: "", millipoints: 1500 },
  });
  expect(found).toEqual([
    { name: "balance", before: "1.000 points", after: "2.500 points" },
    { name: "disabled", before: "no", after: "yes" },
    { name: "source", after: "shop" },
    { name: "reason", after: "–" },
    { name: "amount", after: "1.500 points" },
  ]);
});

it("shows a value that is gone as unknown, and lists and objects in words", () => {
  const found = changesOf({ before: { viewers_max: 5 }, after: { sources: [{ kind: "file", loop: true }], scopes: [] }, details: {} });
  expect(found).toEqual([
    { name: "viewers max", before: "5", after: "–" },
    { name: "sources", after: "kind file, loop yes" },
    { name: "scopes", after: "none" },
  ]);
});

it("leads to the page of a target", () => {
  expect(targetHref({ action: "stream.edit", target: "a/b" })).toBe("/admin/streams/a%2Fb");
  expect(targetHref({ action: "payment.reverse", target: "p:1" })).toBe("/admin/money?tab=payments&q=p%3A1");
  expect(targetHref({ action: "block.lift", target: "b" })).toBeNull();
});

it("distinguishes ids from emails", () => {
  expect(["u_abcdefghij0123456789", "key:abc", "u_x@local", "me@local"].map(isActorId)).toEqual([true, true, false, false]);
});
