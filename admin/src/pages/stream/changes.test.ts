import { expect, test } from "vitest";
import { NEW_STREAM, newSource, requestOf, valuesOf, type FormValues, type Settings } from "../streams/form/values";
import { changesOf, differences, isOutdated, merged, valueText } from "./changes";

const stream = (changes: Partial<FormValues> = {}): Settings => ({ stream_id: "films", ...requestOf({ ...NEW_STREAM, title: "Films", ...changes }) }) as unknown as Settings;

test("only changed fields are sent", () => {
  const base = stream();
  expect(changesOf(base, valuesOf(base))).toEqual({});
  expect(changesOf(base, { ...valuesOf(base), title: "Other", price: "60.000" })).toEqual({ title: "Other" });
  expect(changesOf(base, { ...valuesOf(base), ingest: newSource("rtmp") })).toHaveProperty("ingest.mode", "listen");
});

test("a field that both changed is a conflict", () => {
  const base = stream();
  const mine = { ...valuesOf(base), title: "Mine", price: "30" };
  const found = differences(base, mine, stream({ title: "Theirs", windowMinutes: "9" }));
  expect(found.map(({ name, isConflict }) => [name, isConflict])).toEqual([["title", true], ["window_minutes", false], ["rate_millipoints_per_minute", false]]);
  expect(found[0]).toMatchObject({ before: "Films", mine: "Mine", theirs: "Theirs" });
});

test("two that agree are no conflict", () => {
  const base = stream();
  expect(differences(base, { ...valuesOf(base), title: "Same" }, stream({ title: "Same" }))).toMatchObject([{ name: "title", isConflict: false }]);
});

test("merging keeps what only they changed, and takes what is chosen", () => {
  const base = stream();
  const mine = { ...valuesOf(base), title: "Mine", price: "30" };
  const theirs = stream({ title: "Theirs", windowMinutes: "9" });
  expect(merged(base, mine, theirs, new Set())).toMatchObject({ title: "Mine", price: "30", windowMinutes: "9" });
  expect(merged(base, mine, theirs, new Set(["title"]))).toMatchObject({ title: "Theirs", price: "30", windowMinutes: "9" });
});

test("the version before an own save is not somebody else's", () => {
  expect([4, 5, 6].map((version) => isOutdated({ version: 5 }, { version }))).toEqual([false, false, true]);
});

test("values are in words", () => {
  expect(valueText("viewers_max", 0)).toBe("no limit");
  expect(valueText("ingest", { mode: "listen", protocol: "srt", port: 9000 })).toBe("listen srt at port 9000");
  expect(valueText("backups", [])).toBe("none");
});
