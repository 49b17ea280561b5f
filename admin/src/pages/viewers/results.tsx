/** What came of stopping several sessions, one by one. */
import { CircleAlert, CircleCheck } from "lucide-preact";
import { Button } from "../../ui/buttons";
import { Panel } from "../../ui/parts";
import { resultWords, stopSentence, type Stopped } from "./stop_many";

export function StopResults({ of, onClose }: { of: readonly Stopped[]; onClose: () => void }) {
  // Failures are first, since they need another try.
  const ordered = [...of.filter((each) => each.error), ...of.filter((each) => !each.error)];
  return (
    <Panel title="Results of the stop" side={<Button slim onClick={onClose}>Close</Button>}>
      <div class="stack tight">
        <p>{stopSentence(of)}</p>
        <ul class="viewers-results">
          {ordered.map((each) => (
            <li key={each.row.id}>
              {each.error ? <CircleAlert class="icon viewers-bad" aria-label="Failed" /> : <CircleCheck class="icon viewers-good" aria-label="Done" />}
              <span class="break">
                <a href={`/admin/sessions/${each.row.id}`}>{each.row.email ?? each.row.userId}</a>
                <span class="soft"> · {each.row.streamTitle ?? each.row.streamId} · </span>
                {resultWords(each)}
                {each.error && <span class="small soft"> {each.error.code}{each.error.requestId && ` · request ${each.error.requestId}`}</span>}
              </span>
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  );
}
