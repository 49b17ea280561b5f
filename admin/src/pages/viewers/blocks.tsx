/** Blocks in force: who starts no session where, until when and why. A block can be lifted. */
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { useAction } from "../../actions/action";
import { get, read, write, type Schemas } from "../../api/client";
import { PAGE_MAX, readPages } from "../../live/pages";
import { usePoll, type Polled } from "../../live/poll";
import { ActionButton } from "../../ui/buttons";
import { Empty, Freshness, Loading, Panel, Time, Unknown } from "../../ui/parts";
import { keepSame, Table, type Column } from "../../ui/table";

type Block = Schemas["BlockAnswer"];
const BLOCKS_MAX = 1_000;
const EVERY_MS = 5_000;
/** Emails do not change while the page is open. */
const emails = new Map<string, string>();

export function Blocks({ changed }: { changed: number }) {
  const polled = usePoll("blocks", useMemo(blocksReader, []), EVERY_MS);
  useEffect(() => {
    if (changed) void polled.reload();
  }, [changed]);
  const columns = useMemo(() => columnsOf(polled), [polled]);
  return (
    <Panel title="Blocks in force" side={<Freshness of={polled} />} flush>
      <Loading of={polled}>
        {({ items, more }) => (
          <>
            <Table caption="Blocks in force" columns={columns} rows={items} rowKey={(block) => block.block_id} empty={<Empty title="No viewer is blocked.">A block is made where a session is stopped.</Empty>} />
            {more && <p class="small soft viewers-note">The first {items.length.toLocaleString("en-US")} are shown, and there are more.</p>}
          </>
        )}
      </Loading>
    </Panel>
  );
}

function blocksReader() {
  let before: Block[] = [];
  return async () => {
    const found = await readPages((cursor) => get("/blocks", { query: { limit: PAGE_MAX, cursor } }), BLOCKS_MAX);
    before = keepSame(before, found.items, (block) => block.block_id);
    return { items: before, more: found.more };
  };
}

const columnsOf = (polled: Polled<unknown>): Column<Block>[] => [
  { key: "who", name: "Viewer", head: true, wide: true, cell: (block) => <BlockedUser id={block.user_id} /> },
  { key: "where", name: "Where", cell: (block) => (block.stream_id ? <a class="break" href={`/admin/streams/${encodeURIComponent(block.stream_id)}`}>{block.stream_id}</a> : "all streams") },
  { key: "until", name: "Until", cell: (block) => <Time at={block.until_ms} /> },
  { key: "why", name: "Reason, message", wide: true, cell: (block) => <>{block.reason || <Unknown why="no reason given" />}{block.message && <div class="small soft break">“{block.message}”</div>}</> },
  { key: "session", name: "Made by stopping", cell: (block) => <a href={`/admin/sessions/${block.session_id}`}>the session</a> },
  { key: "lift", name: "", cell: (block) => <Lift block={block} reload={polled.reload} /> },
];

function BlockedUser({ id }: { id: string }) {
  const email = useSignal(emails.get(id) ?? null);
  useEffect(() => {
    if (emails.has(id)) return;
    read("/users/{user_id}", { params: { user_id: id } }).then(
      (found) => {
        if (found.unchanged || !found.data.email) return;
        emails.set(id, found.data.email);
        email.value = found.data.email;
      },
      // The id says enough.
      () => undefined,
    );
  }, [id]);
  return <a class="break" href={`/admin/users/${encodeURIComponent(id)}`}>{email.value ?? id}</a>;
}

function Lift({ block, reload }: { block: Block; reload: () => Promise<void> }) {
  const action = useAction<[]>({ name: "Lift the block" }, async () => {
    await write("delete", "/blocks/{block_id}", { params: { block_id: block.block_id } });
    void reload();
    return `${emails.get(block.user_id) ?? block.user_id} may start sessions ${block.stream_id ? `on ${block.stream_id}` : "on all streams"} again.`;
  });
  return <ActionButton slim action={action}>Lift</ActionButton>;
}
