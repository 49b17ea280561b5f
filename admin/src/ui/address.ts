/** Filters, tabs and sorting in the address, so that back, reload and links keep them. */
import { useLocation } from "preact-iso";

/** Return the parameters of the address, and how to change some. An empty value removes its parameter. */
export function useAddress(): { query: Record<string, string>; set: (changes: Record<string, string | null | undefined>, how?: { replace?: boolean }) => void } {
  const { query, path, route } = useLocation();
  return {
    query,
    set(changes, { replace = true } = {}) {
      // Read at the time of the change, since two changes may follow each other in one event.
      const search = new URLSearchParams(location.search);
      for (const [name, value] of Object.entries(changes)) {
        if (value) search.set(name, value);
        else search.delete(name);
      }
      const text = search.toString();
      route(text ? `${path}?${text}` : path, replace);
    },
  };
}
