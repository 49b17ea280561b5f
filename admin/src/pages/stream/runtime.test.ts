import { expect, test } from "vitest";
import { outageText, repairTexts, type Repairs } from "./runtime";

const none: Repairs = {
  silence_ms: 0, trimmed_ms: 0, drift_ppm: null, pictures_repeated: 0, pictures_dropped: 0, timestamp_jumps: 0, format_changes: 0, damaged_packets: 0, restarts_avoided: 0,
};

test("only repairs that were made are named", () => {
  expect(repairTexts(null)).toEqual([]);
  expect(repairTexts(none)).toEqual([]);
  expect(repairTexts({ ...none, silence_ms: 1_500, pictures_repeated: 1, drift_ppm: -120 })).toEqual([
    "1.5 s of silence put in for missing sound",
    "the sender's sound clock is 120 ppm slow",
    "1 picture repeated",
  ]);
});

test("an open outage grows", () => {
  expect(outageText({ since_ms: 0, until_ms: 4_000 }, 90_000)).toBe("4 s");
  expect(outageText({ since_ms: 0, until_ms: null }, 90_000)).toBe("lasts for 1:30 so far");
});
