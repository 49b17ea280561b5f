import { describe, expect, it } from "vitest";
import { csvCell, csvText, csvTime } from "./csv";

describe("csvCell", () => {
  it("disarms what a spreadsheet would run", () => {
    for (const text of ["=1+1", "+cmd", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", " =1", "-", "+1+1", "-1e5"]) {
      expect(csvCell(text).replace(/^"/, "").startsWith("'"), JSON.stringify(text)).toBe(true);
    }
  });
  it("leaves plain numbers as they are", () => {
    expect(csvCell(-250)).toBe("-250");
    expect(csvCell("-0.250")).toBe("-0.250");
    expect(csvCell("+5")).toBe("+5");
    expect(csvCell(0)).toBe("0");
  });
  it("quotes separators, quotes and line breaks, and leaves unknown values empty", () => {
    expect(csvCell('a "b", c')).toBe('"a ""b"", c"');
    expect(csvCell("a\nb")).toBe('"a\nb"');
    expect(csvCell('=HYPERLINK("x")')).toBe('"\'=HYPERLINK(""x"")"');
    expect(csvCell(null)).toBe("");
  });
});

describe("csvText", () => {
  it("has a line of names and one for each row", () => {
    const columns = [{ name: "id", value: (row: { id: string }) => row.id }, { name: "empty", value: () => null }];
    expect(csvText(columns, [{ id: "a" }, { id: "=b" }])).toBe("id,empty\r\na,\r\n'=b,\r\n");
  });
  it("writes times in UTC", () => {
    expect(csvTime(0)).toBe("1970-01-01T00:00:00.000Z");
    expect(csvTime(null)).toBeNull();
  });
});
