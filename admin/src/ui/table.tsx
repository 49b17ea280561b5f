/** Tables that become cards on a narrow screen. */
import type { ComponentChildren } from "preact";
import { memo } from "preact/compat";
import { ArrowDown, ArrowUp } from "lucide-preact";

export interface Column<T> {
  /** Of the address and of sorting. */
  key: string;
  name: string;
  cell: (row: T) => ComponentChildren;
  /** Figures stand at the end of their column. */
  number?: boolean;
  /** The heading of its row. One column of a table has it. */
  head?: boolean;
  /** As wide as the card on a narrow screen. */
  wide?: boolean;
  sortable?: boolean;
}

export interface Sort {
  key: string;
  down: boolean;
}

interface TableProps<T> {
  /** For those who hear the page. */
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  /** The identity of a row. */
  rowKey: (row: T) => string;
  sort?: Sort | undefined;
  onSort?: (sort: Sort) => void;
  /** Shown in place of the table when there are no rows. */
  empty: ComponentChildren;
}

/**
 * A table. A row is drawn again only when its object is another one, so give unchanged rows the same object
 * (`keepSame`), and keep `columns` the same between two drawings (`useMemo`, or a constant).
 */
export function Table<T>({ caption, columns, rows, rowKey, sort, onSort, empty }: TableProps<T>) {
  if (rows.length === 0) return <>{empty}</>;
  return (
    <table class="table cards">
      <caption class="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.key} scope="col" class={column.number ? "number" : ""} aria-sort={sort?.key === column.key ? (sort.down ? "descending" : "ascending") : undefined}>
              {column.sortable && onSort ? (
                <button type="button" onClick={() => onSort({ key: column.key, down: sort?.key === column.key ? !sort.down : true })}>
                  {column.name}
                  {sort?.key === column.key && (sort.down ? <ArrowDown class="icon" aria-hidden="true" /> : <ArrowUp class="icon" aria-hidden="true" />)}
                </button>
              ) : (
                column.name
              )}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row key={rowKey(row)} row={row} columns={columns as readonly Column<unknown>[]} />
        ))}
      </tbody>
    </table>
  );
}

const Row = memo(function Row({ row, columns }: { row: unknown; columns: readonly Column<unknown>[] }) {
  return (
    <tr>
      {columns.map((column) => {
        const looks = `${column.number ? "number" : ""} ${column.wide ? "wide" : ""}`;
        return column.head ? (
          <th key={column.key} scope="row" class={looks}>{column.cell(row)}</th>
        ) : (
          <td key={column.key} class={looks} data-label={column.name}>{column.cell(row)}</td>
        );
      })}
    </tr>
  );
});

/** Return the new rows, with the old object for each that is equal to before. Rows are data of the API. */
export function keepSame<T>(before: readonly T[], after: readonly T[], rowKey: (row: T) => string): T[] {
  const known = new Map(before.map((row) => [rowKey(row), row]));
  return after.map((row) => {
    const old = known.get(rowKey(row));
    return old !== undefined && JSON.stringify(old) === JSON.stringify(row) ? old : row;
  });
}
