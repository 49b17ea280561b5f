/** What ffmpeg said in the newest runs, and which senders were rejected. */
import { read, type Schemas } from "../../api/client";
import { words, plural } from "../../format/words";
import { usePoll } from "../../live/poll";
import { Ago, Badge, Empty, Freshness, Loading, Panel, Time } from "../../ui/parts";
import { repairTexts } from "./runtime";

type Run = Schemas["RunLogAnswer"];
/** Workers store the lines every few seconds. */
const EVERY_MS = 5_000;

export function LogTab({ id }: { id: string }) {
  const polled = usePoll(`log ${id}`, (_, signal) => read("/streams/{stream_id}/log", { params: { stream_id: id }, signal }), EVERY_MS);
  return (
    <Loading of={polled}>
      {({ items, ingest_refusals }) => (
        <>
          <Panel title="Rejected senders" side={<Freshness of={polled} />}>
            {ingest_refusals.length ? (
              <ul class="stream-issues">
                {ingest_refusals.map((each) => (
                  <li key={each.code}>
                    <div class="row">
                      <Badge tone="warn">{words(each.code)}</Badge>
                      <span class="small soft">{plural(each.count, "time")}, last <Ago at={each.last_at_ms} /></span>
                    </div>
                    <p class="break">{each.detail}</p>
                  </li>
                ))}
              </ul>
            ) : (
              <p class="soft">No sender was rejected in the last 24 hours.</p>
            )}
          </Panel>
          {items.length ? items.map((run, n) => <RunPanel key={`${run.worker_id} ${run.began_at_ms} ${run.run}`} run={run} isNewest={n === 0} />) : (
            <Panel title="Runs of the encoder">
              <Empty title="No run is known.">A run begins when the stream is started and a worker takes it.</Empty>
            </Panel>
          )}
        </>
      )}
    </Loading>
  );
}

function RunPanel({ run, isNewest }: { run: Run; isNewest: boolean }) {
  const repairs = repairTexts(run.repairs);
  const isOver = run.ended_at_ms !== null;
  return (
    <Panel
      title={<>{run.run === null ? "No run" : "Run"} of {words(run.source.replace("-", " "))}</>}
      side={isOver ? <Badge>ended</Badge> : run.run === null ? <Badge tone="bad">waits</Badge> : <Badge tone="good">runs</Badge>}
    >
      <div class="stack tight">
        <p class="small soft">
          Began <Time at={run.began_at_ms} />{isOver && <>, ended <Time at={run.ended_at_ms} /></>}, worker {run.worker_id}
        </p>
        {run.ending && <p class="break"><strong>{isOver ? "How it ended: " : "Why: "}</strong>{run.ending}</p>}
        {repairs.length > 0 && <p><strong>Repaired: </strong>{repairs.join("; ")}</p>}
        {!run.lines.length && !run.source_lines.length && !run.notes.length && <p class="soft">ffmpeg has said nothing.</p>}
        <Lines title="Notes of repairs" lines={run.notes} isOpen={isNewest} />
        <Lines title="What ffmpeg said" lines={run.lines} isOpen={isNewest} />
        <Lines title="What the receiver of the source said" lines={run.source_lines} isOpen={isNewest} />
      </div>
    </Panel>
  );
}

function Lines({ title, lines, isOpen }: { title: string; lines: readonly string[]; isOpen: boolean }) {
  if (lines.length === 0) return null;
  return (
    <details open={isOpen || undefined}>
      <summary>{title} ({plural(lines.length, "line")})</summary>
      <pre class="stream-lines" tabIndex={0} aria-label={title}>{lines.join("\n")}</pre>
    </details>
  );
}
