/** Two versions of a stream's settings side by side, when somebody else has saved meanwhile. */
import { useSignal } from "@preact/signals";
import { Button } from "../../ui/buttons";
import { Badge, Message } from "../../ui/parts";
import type { FormValues, Settings } from "../streams/form/values";
import { differences, merged, NAMES, type Request } from "./changes";

interface Props {
  base: Settings;
  mine: FormValues;
  theirs: Settings;
  /** Whether a save was refused for it. */
  isRefused: boolean;
  onTake: (values: FormValues) => void;
}

export function Conflict({ base, mine, theirs, isRefused, onTake }: Props) {
  const theirsIn = useSignal<ReadonlySet<keyof Request>>(new Set());
  const rows = differences(base, mine, theirs);
  const choose = (name: keyof Request, isTheirs: boolean): void => {
    const next = new Set(theirsIn.peek());
    if (isTheirs) next.add(name);
    else next.delete(name);
    theirsIn.value = next;
  };
  return (
    <Message tone="warn" live title={isRefused ? "Nothing was saved: somebody else changed this stream meanwhile." : "Somebody else changed this stream while you edit it."}>
      <div class="stack tight">
        <p>Version {base.version} is what you began with, version {theirs.version} is stored now. Choose for each field, then go on with the form.</p>
        <table class="table cards stream-versions">
          <caption class="visually-hidden">Two versions of the settings</caption>
          <thead>
            <tr><th scope="col">Setting</th><th scope="col">Before</th><th scope="col">Yours</th><th scope="col">Theirs</th></tr>
          </thead>
          <tbody>
            {rows.map(({ name, before, mine: yours, theirs: stored, isConflict }) => (
              <tr key={name}>
                <th scope="row" class="wide">{NAMES[name]} {isConflict && <Badge tone="warn">both changed it</Badge>}</th>
                <td data-label="Before">{before}</td>
                <td data-label="Yours">{isConflict ? <Choice name={name} text={yours} checked={!theirsIn.value.has(name)} onChoose={() => choose(name, false)} /> : yours === before ? <span class="soft">unchanged</span> : yours}</td>
                <td data-label="Theirs">{isConflict ? <Choice name={name} text={stored} checked={theirsIn.value.has(name)} onChoose={() => choose(name, true)} /> : stored === before ? <span class="soft">unchanged</span> : stored}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <div class="row">
          <Button look="primary" onClick={() => onTake(merged(base, mine, theirs, theirsIn.value))}>Go on with these values</Button>
          <Button onClick={() => onTake(merged(base, mine, theirs, new Set(rows.map((row) => row.name))))}>Take theirs, drop mine</Button>
        </div>
      </div>
    </Message>
  );
}

function Choice({ name, text, checked, onChoose }: { name: string; text: string; checked: boolean; onChoose: () => void }) {
  return (
    <label class="check">
      <input type="radio" name={`version-${name}`} checked={checked} onChange={onChoose} />
      <span>{text}</span>
    </label>
  );
}
