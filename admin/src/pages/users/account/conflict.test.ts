import { describe, expect, it } from "vitest";
import { conflictRows, type Account } from "./conflict";

const account = (more: Partial<Account>): Account => ({ role: "viewer", disabled: false, version: 1, ...more }) as Account;

describe("conflictRows", () => {
  it("has each field that differs or is to be changed, with both versions", () => {
    const rows = conflictRows(account({}), account({ disabled: true }), { role: "admin" } as never, null);
    expect(rows).toEqual([
      { field: "role", seen: "viewer", current: "viewer", wanted: "admin" },
      { field: "disabled", seen: "no", current: "yes", wanted: "" },
    ]);
  });
  it("names a changed password without its value", () => {
    const rows = conflictRows(account({}), account({}), { disabled: true } as never, [{ field: "password", seen: null, current: null }]);
    expect(rows.at(-1)).toEqual({ field: "password", seen: "hidden", current: "changed", wanted: "" });
  });
});
