/** The version, and whether the API reaches what it depends on. */
import { words } from "../../format/words";
import { usePoll } from "../../live/poll";
import { useOverview } from "../../frame/overview_poll";
import { Ago, Badge, Facts, Freshness, Loading, Message, Panel, Time, Unknown } from "../../ui/parts";
import { loadHealth, type Health } from "./health";

const HEALTH_MS = 5_000;

export function HealthTab() {
  const health = usePoll("health", loadHealth, HEALTH_MS);
  return (
    <div class="columns">
      <Panel title="Dependencies of the API" side={<Freshness of={health} />}>
        <Loading of={health}>{(found) => <Dependencies of={found} />}</Loading>
      </Panel>
      <Samples />
    </div>
  );
}

function Dependencies({ of }: { of: Health }) {
  const names = Object.entries(of.dependencies);
  const failed = names.filter(([, state]) => state === "failed").map(([name]) => words(name));
  return (
    <div class="stack">
      {failed.length > 0 ? (
        <Message tone="bad" title={`The API cannot use ${failed.join(", ")}.`}>Check that it runs, the network between, and the permissions of the API.</Message>
      ) : (
        <Message tone="good" title="The API reaches all it depends on." />
      )}
      <Facts
        of={[
          ["Version", <span class="mono">{of.version}</span>],
          ...names.map(([name, state]): [string, preact.ComponentChild] => [words(name), state === "ok" ? <Badge tone="good">works</Badge> : <Badge tone="bad">failed</Badge>]),
        ]}
      />
    </div>
  );
}

/** Whether the figures of all pages are renewed. */
function Samples() {
  const overview = useOverview();
  return (
    <Panel title="Samples" side={<Freshness of={overview} />}>
      <Loading of={overview}>
        {({ is_current: isCurrent, at_ms: at, version }) => (
          <div class="stack">
            {isCurrent ? (
              <Message tone="good" title="A sample is taken each minute." />
            ) : (
              <Message tone="bad" title={at === null ? "No sample was taken yet." : "The last sample is too old."}>
                Start the schedules (<code>sample_series</code>), and look at their log. Until then figures and charts stay as they are.
              </Message>
            )}
            <Facts of={[["Last sample", at === null ? <Unknown why="never" /> : <><Ago at={at} /> <span class="soft small">(<Time at={at} />)</span></>], ["Version", <span class="mono">{version}</span>]]} />
          </div>
        )}
      </Loading>
    </Panel>
  );
}
