/** A button that saves what a table shows, with all its pages, as CSV. */
import { Download } from "lucide-preact";
import { saveFile } from "../../api/client";
import { useAction } from "../../actions/action";
import { plural } from "../../format/words";
import { readPages } from "../../live/pages";
import { ActionButton } from "../../ui/buttons";
import { csvText, ROWS_MAX, type CsvColumn } from "./csv";

interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export function CsvButton<T>({ name, columns, load }: {
  /** Of the file, without its ending. */
  name: string;
  columns: readonly CsvColumn<T>[];
  /** Reads a page of the table. */
  load: (cursor: string | undefined) => Promise<Page<T>>;
}) {
  const action = useAction({ name: "Save as CSV" }, async () => {
    const { items, more } = await readPages(load, ROWS_MAX);
    const rows = items.slice(0, ROWS_MAX);
    const isCut = more || items.length > ROWS_MAX;
    const file = `${name}${isCut ? "-first-10000" : ""}.csv`;
    // The mark at the front tells spreadsheets that the text is UTF-8.
    saveFile(file, new Blob(["\uFEFF", csvText(columns, rows)], { type: "text/csv;charset=utf-8" }));
    return isCut
      ? `${file} has only the first ${ROWS_MAX.toLocaleString("en-US")} rows: there are more. Narrow the filters to get the rest.`
      : `${file} has ${plural(rows.length, "row")}, all that the filters match.`;
  });
  return (
    <ActionButton action={action}>
      <Download class="icon" aria-hidden="true" /> CSV
    </ActionButton>
  );
}
