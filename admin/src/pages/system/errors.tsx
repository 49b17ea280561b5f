/** Errors that the API returned, by code and route. */
import { get, type Schemas } from "../../api/client";
import { count } from "../../format/units";
import { usePoll } from "../../live/poll";
import { useAddress } from "../../ui/address";
import { CopyButton } from "../../ui/copy";
import { SearchField, SelectField } from "../../ui/fields";
import { Ago, Badge, Empty, Freshness, Loading, Panel, Time, Unknown } from "../../ui/parts";
import { keepSame, Table, type Column, type Sort } from "../../ui/table";
import { errorKey, shownErrors, type ErrorCount } from "./error_rows";

const ERRORS_MS = 5_000;
const CLASSES = [{ value: "", label: "All" }, { value: "5xx", label: "Failures of the server (5xx)" }, { value: "4xx", label: "Refusals (4xx)" }];

const COLUMNS: readonly Column<ErrorCount>[] = [
  { key: "code", name: "Code", head: true, wide: true, cell: (each) => <span class="row"><Badge tone={each.status >= 500 ? "bad" : "plain"}>{each.status}</Badge> <code class="break">{each.code}</code></span> },
  { key: "route", name: "Route", wide: true, cell: (each) => <code class="break">{each.method} {each.route}</code> },
  { key: "count", name: "Count", number: true, sortable: true, cell: (each) => count(each.count) },
  { key: "first", name: "First", cell: (each) => <Time at={each.first_at_ms} /> },
  { key: "last", name: "Last", number: true, sortable: true, cell: (each) => <Ago at={each.last_at_ms} /> },
  {
    key: "request", name: "Request of the last one", wide: true,
    cell: (each) => each.last_request_id ? <span class="system-id"><code class="break">{each.last_request_id}</code><CopyButton text={each.last_request_id} what="the request's id" /></span> : <Unknown why="it had no id" />,
  },
];

export function ErrorsTab() {
  const { query, set } = useAddress();
  let before: ErrorCount[] = [];
  const errors = usePoll<Schemas["ErrorCount"][]>("errors", async (_, signal) => {
    before = keepSame(before, (await get("/monitoring/errors", { signal })).items, errorKey);
    return before;
  }, ERRORS_MS);
  const sort: Sort = { key: query["sort"] === "count" ? "count" : "last", down: query["up"] !== "1" };
  return (
    <Panel title="Errors" side={<Freshness of={errors} />} flush>
      <div class="system-above stack tight">
        <div class="filters">
          <SearchField label="Search code, route or request" value={query["q"] ?? ""} onChange={(q) => set({ q })} placeholder="stream_full, /playback/start" />
          <SelectField label="Kind" value={query["class"] ?? ""} onChange={(value) => set({ class: value })} options={CLASSES} />
        </div>
        <p class="small soft">Each is counted until it was not returned for 30 days. The API's log has the lines of a request under its id.</p>
      </div>
      <Loading of={errors}>
        {(items) => (
          <Table
            caption="Errors by code and route" columns={COLUMNS} rows={shownErrors(items, query["q"] ?? "", query["class"] ?? "", sort)} rowKey={errorKey}
            sort={sort} onSort={({ key, down }) => set({ sort: key === "last" ? null : key, up: down ? null : "1" })}
            empty={items.length ? <Empty title="No error fits.">Change the search or the kind.</Empty> : <Empty title="No error was returned in the last 30 days." />}
          />
        )}
      </Loading>
    </Panel>
  );
}
