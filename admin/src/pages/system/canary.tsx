/** Runs of the synthetic viewer, who watches, pays and checks the bill. */
import { get, type Schemas } from "../../api/client";
import { millis } from "../../format/units";
import { words } from "../../format/words";
import { usePoll } from "../../live/poll";
import { Ago, Badge, Empty, Freshness, Loading, Panel, Time } from "../../ui/parts";
import { PagedList } from "../../ui/list";
import { Table, type Column } from "../../ui/table";

type Run = Schemas["CanaryRunAnswer"];
const NEWEST_MS = 10_000;
const PAGE = 25;

const COLUMNS: readonly Column<Run>[] = [
  { key: "when", name: "When", head: true, wide: true, cell: (each) => <Time at={each.at_ms} /> },
  { key: "result", name: "Result", cell: (each) => <Result of={each} /> },
  { key: "took", name: "Took", number: true, cell: (each) => millis(tookMs(each)) },
  { key: "steps", name: "Steps", wide: true, cell: (each) => <Steps of={each} /> },
];

const tookMs = (run: Run): number => run.steps.reduce((sum, step) => sum + step.ms, 0);

function Result({ of }: { of: Run }) {
  return of.is_ok ? <Badge tone="good">worked</Badge> : <Badge tone="bad">failed: {words(of.failed_step)}</Badge>;
}

function Steps({ of }: { of: Run }) {
  return (
    <div class="stack tight">
      <ol class="system-steps">
        {of.steps.map((step) => (
          <li key={step.step} class={step.is_ok ? "" : "is-failed"}>
            {words(step.step)} <span class="soft">{millis(step.ms)}</span>
            {!step.is_ok && <span class="visually-hidden"> failed</span>}
          </li>
        ))}
      </ol>
      {of.failure && <p class="small break">{of.failure}</p>}
    </div>
  );
}

export function CanaryTab() {
  const newest = usePoll("canary", (_, signal) => get("/monitoring/canary", { query: { limit: 1 }, signal }), NEWEST_MS);
  return (
    <Panel title="Canary" side={<Freshness of={newest} />} flush>
      <Loading of={newest}>
        {({ items: [last] }) => last ? (
          <>
            <p class="system-above row">Last run <Ago at={last.at_ms} /> <Result of={last} /> <span class="soft">in {millis(tookMs(last))}</span></p>
            <PagedList of={String(last.at_ms)} load={(cursor) => get("/monitoring/canary", { query: { limit: PAGE, cursor } })}>
              {(items) => <Table caption="Runs of the canary, newest first" columns={COLUMNS} rows={items} rowKey={(each) => String(each.at_ms)} empty={null} />}
            </PagedList>
          </>
        ) : (
          <Empty title="The canary has not run in the last 30 days.">
            <span>It watches, pays and is stopped as a viewer is, and reports what failed. Run it once: <code>make canary</code></span>
          </Empty>
        )}
      </Loading>
    </Panel>
  );
}
