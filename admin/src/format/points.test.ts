import { describe, expect, it } from "vitest";
import { parsePoints, plainPoints, points, signedPoints, UNKNOWN } from "./points";

describe("points", () => {
  it("has three decimals, separators and a minus sign", () => {
    expect(points(1_234_567)).toBe("1,234.567");
    expect(points(-250)).toBe("−0.250");
    expect(points(0)).toBe("0.000");
    expect(points(null)).toBe(UNKNOWN);
    expect(signedPoints(5000)).toBe("+5.000");
  });
  it("is a number for programs", () => {
    expect(plainPoints(1_234_567)).toBe("1234.567");
    expect(plainPoints(-250)).toBe("-0.250");
    expect(Number(plainPoints(-1_000_001))).toBe(-1000.001);
  });
  it("is read from an input as an integer, also where a float would not be exact", () => {
    expect(parsePoints("12.5")).toBe(12_500);
    expect(parsePoints("0.29")).toBe(290);
    expect(parsePoints("−1,000.001")).toBe(-1_000_001);
    expect(parsePoints("1.2345")).toHaveProperty("fault");
    expect(parsePoints("")).toHaveProperty("fault");
  });
  it("takes commas as separators of thousands only", () => {
    expect(parsePoints("1,234,567.5")).toBe(1_234_567_500);
    for (const text of ["12,5", "1,5", "1,00", ",5", "1,2345", "1,000,00", "1234,567"]) expect(parsePoints(text), text).toHaveProperty("fault");
  });
});
