import { describe, expect, it } from "vitest";
import { shownErrors, type ErrorCount } from "./error_rows";
import { isHealth } from "./health";
import { barsOf } from "./histogram";
import { dayAfter, dayOf, hourOf } from "./hours";
import { nameFault, sortedKeys, stateOf, wholeOf, type ServiceKey } from "./keys/key_form";

describe("histogram", () => {
  it("adds up in the order of the bounds, the open end last", () => {
    expect(barsOf([{ histogram: { "1000": 2, more: 1, "0": 4 } }, { histogram: { "500": 0, "1000": 3 } }])).toEqual([
      { name: "before the end", sessions: 4 }, { name: "up to 500 ms", sessions: 0 }, { name: "up to 1.0 s", sessions: 5 }, { name: "longer", sessions: 1 },
    ]);
    expect(barsOf([{ histogram: { "0": 3, "1000": 0, more: 0 } }])).toEqual([{ name: "before the end", sessions: 3 }]);
    expect(barsOf([])).toEqual([]);
  });
});

describe("errors", () => {
  const of = (status: number, code: string, count: number, last: number): ErrorCount => ({ status, code, method: "GET", route: "/x", count, first_at_ms: 0, last_at_ms: last, last_minute_ms: 0, last_request_id: `r-${code}` });
  const all = [of(404, "gone", 5, 1), of(500, "internal_error", 1, 3), of(402, "debt_open", 9, 2)];
  const codes = (text: string, kind: string, key: string, down = true): string[] => shownErrors(all, text, kind, { key, down }).map((each) => each.code);
  it("are filtered and sorted without a change of the list", () => {
    expect(codes("", "", "last")).toEqual(["internal_error", "debt_open", "gone"]);
    expect(codes("", "4xx", "count")).toEqual(["debt_open", "gone"]);
    expect(codes("", "", "count", false)).toEqual(["internal_error", "gone", "debt_open"]);
    expect(codes(" R-Gone ", "", "last")).toEqual(["gone"]);
    expect(all[0]?.code).toBe("gone");
  });
});

describe("hours and days of the address", () => {
  it("are whole, and never of the future", () => {
    expect([hourOf(undefined), hourOf("abc"), hourOf("1800000000001")]).toEqual([null, null, 1_800_000_000_000]);
    const now = Date.parse("2026-12-01T10:00:00Z");
    expect([dayOf(undefined, now), dayOf("2026-11-30", now), dayOf("2026-12-02", now), dayOf("2026-11-99", now)]).toEqual(["2026-12-01", "2026-11-30", "2026-12-01", "2026-12-01"]);
    expect(dayAfter("2026-03-01", -1)).toBe("2026-02-28");
  });
});

describe("keys", () => {
  const key = (key_id: string, expires_at_ms: number, revoked_at_ms: number | null = null): ServiceKey => ({ key_id, name: key_id, scopes: ["credit"], created_by: "u", created_at_ms: 0, expires_at_ms, last_used_at_ms: null, revoked_at_ms });
  const day = 86_400_000;
  it("have a state, and the one that needs care first", () => {
    const keys = [key("revoked", 90 * day, 5), key("later", 90 * day), key("expired", day), key("soon", 9 * day)];
    expect(keys.map((each) => stateOf(each, 2 * day))).toEqual(["revoked", "valid", "expired", "expires soon"]);
    expect(sortedKeys(keys, 2 * day).map((each) => each.key_id)).toEqual(["soon", "later", "revoked", "expired"]);
  });
  it("have names as the API takes them", () => {
    expect(["shop", " 2nd shop: a/b-c@x.y_z "].map(nameFault)).toEqual([null, null]);
    for (const text of ["", "-a", "a<b", "ä", "a".repeat(65)]) expect(nameFault(text)).not.toBeNull();
  });
  it("have whole numbers of days", () => {
    expect([wholeOf("90", 1, 400), wholeOf(" 400 ", 1, 400)]).toEqual([90, 400]);
    for (const text of ["", "0", "401", "1.5", "-1", "1e2"]) expect(wholeOf(text, 1, 400)).toHaveProperty("fault");
  });
});

it("takes no proxy's page for the health", () => {
  expect(isHealth({ status: "failed", version: "1", dependencies: {} })).toBe(true);
  for (const found of [undefined, null, "x", { status: "down" }, { status: "ok", dependencies: null }]) expect(isHealth(found)).toBe(false);
});
