import { describe, expect, it } from "vitest";
import { dayAfter, isDay, localDayStart, utcDay } from "./days";

describe("days", () => {
  it("counts over months and years", () => {
    expect(dayAfter("2026-12-31", 1)).toBe("2027-01-01");
    expect(dayAfter("2024-03-01", -1)).toBe("2024-02-29");
    expect(utcDay(0)).toBe("1970-01-01");
  });
  it("knows a day of the calendar", () => {
    expect(isDay("2026-02-28")).toBe(true);
    expect(isDay("2026-02-30")).toBe(false);
    expect(isDay("1999-01-01")).toBe(false);
    expect(isDay(undefined)).toBe(false);
  });
  it("begins a local day at local midnight", () => {
    expect(localDayStart("2026-03-04")).toBe(new Date(2026, 2, 4).getTime());
    expect(localDayStart("2026-03-31", 1)).toBe(new Date(2026, 3, 1).getTime());
    expect(localDayStart("x")).toBeUndefined();
  });
});
