import { describe, expect, it } from "vitest";
import { filterFaults } from "./payment_filters";

describe("filterFaults", () => {
  it("accepts what the API accepts", () => {
    expect(filterFaults({ q: "", user: "", source: "" })).toEqual({ q: null, user: null, source: null });
    expect(filterFaults({ q: "acme:4", user: "demo@local", source: "acme pay" })).toEqual({ q: null, user: null, source: null });
    expect(filterFaults({ q: "ab", user: `u_${"a2".repeat(10)}`, source: "x" })).toEqual({ q: null, user: null, source: null });
  });
  it("says what is wrong with what is half typed", () => {
    const faults = filterFaults({ q: "a", user: "demo", source: " x" });
    expect(Object.values(faults).every((each) => each !== null)).toBe(true);
  });
});
