import { describe, expect, it } from "vitest";
import { generatedPassword, passwordFault } from "./password";

describe("passwords", () => {
  it("are random, long enough and easy to read", () => {
    const made = new Set(Array.from({ length: 50 }, generatedPassword));
    expect(made.size).toBe(50);
    for (const text of made) expect(text).toMatch(/^([a-km-zA-HJ-NP-Z2-9]{5}-){3}[a-km-zA-HJ-NP-Z2-9]{5}$/);
  });
  it("have bounds", () => {
    expect(passwordFault("1234567")).toContain("at least 8");
    expect(passwordFault("x".repeat(201))).toContain("at most 200");
    expect(passwordFault("12345678")).toBeNull();
  });
});
