/** Credentials of programs, such as a payment service. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { Plus } from "lucide-preact";
import { get, type Schemas } from "../../../api/client";
import { plural } from "../../../format/words";
import { PAGE_MAX, readPages, type Listed } from "../../../live/pages";
import { usePoll } from "../../../live/poll";
import { Button } from "../../../ui/buttons";
import { Ago, Badge, Empty, Freshness, isCutOff, Loading, Panel, Time, type Tone } from "../../../ui/parts";
import { keepSame, Table, type Column } from "../../../ui/table";
import { sortedKeys, stateOf, type KeyState, type ServiceKey } from "./key_form";
import { CreateKey, NewSecret, RevokeKey, RotateKey } from "./key_dialogs";

const KEYS_MS = 5_000;
const KEYS_MAX = 1_000;
const TONES: Record<KeyState, Tone> = { valid: "good", "expires soon": "warn", expired: "bad", revoked: "plain" };
const keyOf = (key: ServiceKey): string => key.key_id;

interface Asked {
  what: "create" | "rotate" | "revoke";
  key: ServiceKey | null;
}

export function KeysTab() {
  const asked = useSignal<Asked | null>(null);
  const secret = useSignal<Schemas["NewKeyAnswer"] | null>(null);
  let before: ServiceKey[] = [];
  const keys = usePoll<Listed<ServiceKey>>("keys", async (_, signal) => {
    const found = await readPages((cursor) => get("/service-keys", { query: { limit: PAGE_MAX, cursor }, signal }), KEYS_MAX);
    before = keepSame(before, sortedKeys(found.items, Date.now()), keyOf);
    return { ...found, items: before };
  }, KEYS_MS);
  const columns = useMemo(() => columnsOf((what, key) => (asked.value = { what, key })), []);
  const close = (): void => {
    asked.value = null;
  };
  const made = (answer: Schemas["NewKeyAnswer"]): void => {
    secret.value = answer;
    void keys.reload();
  };
  const { what, key } = asked.value ?? { what: null, key: null };
  const create = <Button look="primary" slim disabled={isCutOff()} onClick={() => (asked.value = { what: "create", key: null })}><Plus class="icon" aria-hidden="true" /> New key</Button>;
  return (
    <Panel title="Service keys" side={<><Freshness of={keys} />{create}</>} flush>
      <p class="system-above small soft">A program has a key in place of a person's password. It may do only what its scopes say, until it expires or is revoked.</p>
      <Loading of={keys}>
        {({ items, more }) => (
          <>
            <Table caption="Service keys" columns={columns} rows={items} rowKey={keyOf} empty={<Empty title="There are no service keys.">A payment service needs one with the scope credit, Prometheus one with metrics.</Empty>} />
            {more && <p class="system-note small soft">Only the first {plural(KEYS_MAX, "key")} are shown.</p>}
          </>
        )}
      </Loading>
      <CreateKey open={what === "create"} onClose={close} onMade={made} />
      {key && <RotateKey key={`rotate ${key.key_id}`} of={key} open={what === "rotate"} onClose={close} onMade={made} />}
      {key && <RevokeKey key={`revoke ${key.key_id}`} of={key} open={what === "revoke"} onClose={close} onDone={() => void keys.reload()} />}
      <NewSecret of={secret.value} onClose={() => (secret.value = null)} />
    </Panel>
  );
}

function columnsOf(ask: (what: Asked["what"], key: ServiceKey) => void): readonly Column<ServiceKey>[] {
  return [
    { key: "name", name: "Name", head: true, wide: true, cell: (each) => <span class="stack tight"><span class="break">{each.name}</span><code class="soft break">{each.key_id}</code></span> },
    { key: "scopes", name: "Scopes", cell: (each) => each.scopes.join(", ") },
    { key: "state", name: "State", cell: (each) => <State of={each} /> },
    { key: "expires", name: "Expires", cell: (each) => <Time at={each.expires_at_ms} /> },
    { key: "used", name: "Last used", cell: (each) => each.last_used_at_ms === null ? <span class="soft">never</span> : <Ago at={each.last_used_at_ms} /> },
    { key: "acts", name: "What it did", cell: (each) => <a href={`/admin/system?tab=audit&by=${encodeURIComponent(`key:${each.key_id}`)}`}>Audit log</a> },
    {
      key: "buttons", name: "Actions", wide: true, cell: (each) => each.revoked_at_ms === null ? (
        <span class="row system-buttons">
          <Button slim disabled={isCutOff()} onClick={() => ask("rotate", each)}>Rotate …</Button>
          <Button slim look="danger" disabled={isCutOff()} onClick={() => ask("revoke", each)}>Revoke …</Button>
        </span>
      ) : <span class="soft">revoked for good</span>,
    },
  ];
}

function State({ of }: { of: ServiceKey }) {
  const state = stateOf(of, Date.now());
  return <Badge tone={TONES[state]} title={of.revoked_at_ms ? `since ${new Date(of.revoked_at_ms).toLocaleString()}` : undefined}>{state}</Badge>;
}
