/** Lists of the API, which come in pages. */
import type { Schemas } from "../api/client";

interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** The API's largest page. */
export const PAGE_MAX = 200;

/** A list, whole or up to a limit. */
export interface Listed<T> {
  items: T[];
  /** Whether there are more than were read. */
  more: boolean;
}

/** Read pages until the list ends or has `max` items. */
export async function readPages<T>(page: (cursor: string | undefined) => Promise<Page<T>>, max: number): Promise<Listed<T>> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const found = await page(cursor);
    items.push(...found.items);
    cursor = found.next_cursor ?? undefined;
  } while (cursor && items.length < max);
  return { items, more: cursor !== undefined };
}

export type Session = Schemas["SessionAnswer"];
