/** Filter, order and arrangement of live viewers, all in the address. */
import { ArrowDown, ArrowUp, LayoutGrid, List } from "lucide-preact";
import { useAddress } from "../../ui/address";
import { Button } from "../../ui/buttons";
import { CheckField, SearchField, SelectField } from "../../ui/fields";
import { SORTS, type LiveRow } from "./live_rows";

export interface View {
  q: string;
  streamId: string;
  onlyWatching: boolean;
  sort: string;
  down: boolean;
  asCards: boolean;
}

const CARDS_MAX = 30;

/** Return what the address asks for. Without a choice, up to 30 viewers are cards. */
export function useView(viewers: number): View {
  const { query } = useAddress();
  const sort = SORTS.some((each) => each.key === query["sort"]) ? (query["sort"] as string) : "since";
  return {
    q: query["q"] ?? "",
    streamId: query["stream_id"] ?? "",
    onlyWatching: query["watching"] === "1",
    sort,
    down: query["order"] !== "up",
    asCards: query["view"] ? query["view"] === "cards" : viewers < CARDS_MAX,
  };
}

export function Filters({ view, rows }: { view: View; rows: readonly LiveRow[] }) {
  const { set } = useAddress();
  const streams = new Map(rows.map((row) => [row.streamId, row.streamTitle ?? row.streamId]));
  if (view.streamId && !streams.has(view.streamId)) streams.set(view.streamId, view.streamId);
  const options = [...streams].sort((a, b) => (a[1] < b[1] ? -1 : 1)).map(([value, label]) => ({ value, label }));
  const look = (cards: boolean) => (view.asCards === cards ? "primary" : "plain");
  return (
    <div class="filters">
      <SearchField label="Search" placeholder="email, stream or address" value={view.q} onChange={(q) => set({ q })} />
      <SelectField label="Stream" value={view.streamId} onChange={(stream_id) => set({ stream_id })} options={[{ value: "", label: "All streams" }, ...options]} />
      <SelectField label="Order" value={view.sort} onChange={(sort) => set({ sort: sort === "since" ? null : sort })} options={SORTS.map(({ key, name }) => ({ value: key, label: name }))} />
      <div class="row viewers-choices">
        <Button title={view.down ? "Descending. Click for ascending" : "Ascending. Click for descending"} onClick={() => set({ order: view.down ? "up" : null })}>
          {view.down ? <ArrowDown class="icon" aria-hidden="true" /> : <ArrowUp class="icon" aria-hidden="true" />}
        </Button>
        <div class="row viewers-views" role="group" aria-label="Arrangement">
          <Button look={look(true)} title="As cards" onClick={() => set({ view: "cards" })}><LayoutGrid class="icon" aria-hidden="true" /></Button>
          <Button look={look(false)} title="As rows" onClick={() => set({ view: "rows" })}><List class="icon" aria-hidden="true" /></Button>
        </div>
        <CheckField label="Only watching" checked={view.onlyWatching} onChange={(on) => set({ watching: on ? "1" : null })} />
      </div>
    </div>
  );
}
