/** Hints to workers that wait, and those that nobody could handle. */
import { count } from "../../format/units";
import { useOverview } from "../../frame/overview_poll";
import { Ago, Figure, Freshness, Loading, Message, Panel } from "../../ui/parts";

/** As the alarm QueueBehind. */
const DEPTH_MAX = 100;

export function QueuesTab() {
  const overview = useOverview();
  return (
    <Panel title="Queues" side={<Freshness of={overview} />}>
      <Loading of={overview}>
        {({ work_queue_depth: depth, dead_letters: dead, at_ms: at }) => (
          <div class="stack">
            <div class="figures">
              <Figure name="Work queue" value={count(depth)} unit="hints wait" />
              <Figure name="Dead letters" value={count(dead)} unit="messages" />
            </div>
            <p class="small soft">{at === null ? "No sample was taken yet." : <>Counted with the last sample, <Ago at={at} />.</>} A hint tells workers that a stream has changed. They look at the tables themselves too, so a lost hint only costs seconds.</p>
            {depth === null || dead === null ? (
              <Message tone="warn" title="A queue could not be counted.">Its figure is unknown. Check the queue service and the permissions of the schedule.</Message>
            ) : (
              <>
                {depth > DEPTH_MAX && <Message tone="warn" title="The hints are not received.">No worker runs, or workers are not permitted to receive.</Message>}
                {dead > 0 && (
                  <Message tone="warn" title="Messages were received five times without being handled.">
                    Look at them in the queue whose name ends with <code>-dead</code>, then delete them. If new ones come, read the workers' log.
                  </Message>
                )}
                {depth <= DEPTH_MAX && dead === 0 && <Message tone="good" title="The queues are as they should be." />}
              </>
            )}
          </div>
        )}
      </Loading>
    </Panel>
  );
}
