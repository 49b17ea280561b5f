import { describe, expect, it } from "vitest";
import { ApiError, type Schemas } from "../../api/client";
import { csvRecords, joinedCsv, joinedJson } from "./statement";

type Part = Schemas["StatementAnswer"];
const state = (version: number): Part["opening"] => ({ version, balance_millipoints: version * 10, hash: `h${version}` });
const part = (from: number, to: number, next: number | null): Part => ({
  format: "tollcast-statement-1", user_id: "u_a", created_at_ms: from, opening: state(from), closing: state(to), next_after_version: next,
  lines: Array.from({ length: to - from }, (_, n) => ({ version: from + n + 1 })) as Part["lines"],
});

describe("a statement of several parts", () => {
  it("is one statement from the first opening to the last closing", () => {
    const { text, lines } = joinedJson([part(0, 3, 3), part(3, 5, null)]);
    const whole = JSON.parse(text) as Part;
    expect(lines).toBe(5);
    expect(whole.lines.map((line) => line.version)).toEqual([1, 2, 3, 4, 5]);
    expect([whole.opening.version, whole.closing.version, whole.next_after_version]).toEqual([0, 5, null]);
  });
  it("is refused if the parts do not follow each other", () => {
    expect(() => joinedJson([part(0, 3, 3), part(4, 5, null)])).toThrow(ApiError);
  });
  it("is one CSV with one head, also with line breaks in notes", () => {
    const first = csvRecords('version,note\r\n0,\r\n1,"a\r\n""b"""\r\n');
    expect(first).toHaveLength(3);
    const second = csvRecords("version,note\r\n1,\r\n2,c\r\n");
    expect(joinedCsv([first, second])).toEqual({ text: 'version,note\r\n0,\r\n1,"a\r\n""b"""\r\n2,c\r\n', lines: 2 });
  });
});
