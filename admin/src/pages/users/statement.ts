/** A user's statement as one file. Large ledgers come from the API in parts. */
import { ApiError, get, readText, type Schemas } from "../../api/client";

type Part = Schemas["StatementAnswer"];

export interface SavedStatement {
  text: string;
  lines: number;
}

/** Return a statement of all parts, as the API would send it in one. Throw `ApiError` if they do not follow each other. */
export function joinedJson(parts: readonly Part[]): SavedStatement {
  const [first, last] = [parts[0], parts.at(-1)];
  if (!first || !last) throw new Error("a statement without parts");
  parts.slice(1).forEach((part, n) => {
    const before = parts[n]?.closing;
    if (part.opening.version !== before?.version || part.opening.hash !== before.hash) {
      const detail = `The parts of the ledger do not match at version ${part.opening.version}. Try again.`;
      throw new ApiError({ status: 500, code: "statement_torn", detail }, null);
    }
  });
  const lines = parts.flatMap((part) => part.lines);
  const whole = { ...first, lines, closing: last.closing, next_after_version: null };
  return { text: `${JSON.stringify(whole, null, 1)}\n`, lines: lines.length };
}

/** Return the records of CSV text with their line ends. A quoted cell may contain line breaks. */
export function csvRecords(text: string): string[] {
  const records: string[] = [];
  let from = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === '"') quoted = !quoted;
    else if (letter === "\n" && !quoted) {
      records.push(text.slice(from, at + 1));
      from = at + 1;
    }
  }
  if (from < text.length) records.push(text.slice(from));
  return records;
}

/** The line of names, and the state before the first line. */
const HEAD_RECORDS = 2;

/** Return all parts as one CSV: the head of the first, and the lines of all. */
export function joinedCsv(parts: readonly (readonly string[])[]): SavedStatement {
  const lines = parts.flatMap((records) => records.slice(HEAD_RECORDS));
  return { text: [...(parts[0]?.slice(0, HEAD_RECORDS) ?? []), ...lines].join(""), lines: lines.length };
}

/** Read a user's whole statement. `progress` gets the number of lines so far. */
export async function readStatement(userId: string, format: "json" | "csv", progress: (lines: number) => void): Promise<SavedStatement> {
  return format === "json" ? readJson(userId, progress) : readCsv(userId, progress);
}

const PATH = "/wallets/{user_id}/ledger/export";

async function readJson(userId: string, progress: (lines: number) => void): Promise<SavedStatement> {
  const parts: Part[] = [];
  let after: number | null = 0;
  while (after !== null) {
    const part = (await get(PATH, { params: { user_id: userId }, query: { format: "json", after_version: after } })) as Part;
    parts.push(part);
    progress(part.closing.version);
    after = part.next_after_version;
  }
  return joinedJson(parts);
}

async function readCsv(userId: string, progress: (lines: number) => void): Promise<SavedStatement> {
  const parts: string[][] = [];
  let after = 0;
  for (;;) {
    const records = csvRecords(await readText(PATH, { params: { user_id: userId }, query: { format: "csv", after_version: after } }));
    if (parts.length && records.length <= HEAD_RECORDS) break;
    parts.push(records);
    const version = Number((records.at(-1) ?? "").split(",", 1)[0]);
    if (records.length <= HEAD_RECORDS || !(version > after)) break;
    after = version;
    progress(after);
  }
  return joinedCsv(parts);
}
