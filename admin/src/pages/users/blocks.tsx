/** The blocks of a user, with a button that lifts each. */
import { useMemo } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, write, type Schemas } from "../../api/client";
import { useAction } from "../../actions/action";
import { localTime } from "../../format/units";
import { keepSame, Table, type Column } from "../../ui/table";
import { Button, Confirm } from "../../ui/buttons";
import { Empty, Freshness, isCutOff, Loading, Panel, Time } from "../../ui/parts";
import { usePoll, type Polled } from "../../live/poll";
import { PAGE_MAX, readPages, type Listed } from "../../live/pages";

type Block = Schemas["BlockAnswer"];
const SHOWN_MAX = 1000;
const EVERY_MS = 5000;
const keyOf = (row: Block): string => row.block_id;

export function Blocks({ userId, onChanged }: { userId: string; onChanged: () => void }) {
  const lifting = useSignal<Block | null>(null);
  const poll: Polled<Listed<Block>> = usePoll<Listed<Block>>(`blocks:${userId}`, async (_, signal) => {
    const found = await readPages((cursor) => get("/blocks", { query: { user_id: userId, limit: PAGE_MAX, cursor }, signal }), SHOWN_MAX);
    return { items: keepSame(poll.data.peek()?.items ?? [], found.items, keyOf), more: found.more };
  }, EVERY_MS);
  const columns = useMemo((): readonly Column<Block>[] => [
    { key: "stream", name: "Blocked on", head: true, cell: (row) => (row.stream_id ? <a href={`/admin/streams/${row.stream_id}`}>{row.stream_id}</a> : "all streams") },
    { key: "until", name: "Until", cell: (row) => <Time at={row.until_ms} /> },
    { key: "reason", name: "Reason", cell: (row) => row.reason || "none given" },
    { key: "message", name: "Message to the viewer", wide: true, cell: (row) => row.message ?? "none" },
    { key: "session", name: "Ended session", cell: (row) => <a href={`/admin/sessions/${row.session_id}`}>session</a> },
    { key: "act", name: "", number: true, cell: (row) => <LiftButton onClick={() => (lifting.value = row)} /> },
  ], []);
  return (
    <Panel title="Blocks" flush side={<Freshness of={poll} />}>
      <Loading of={poll}>
        {({ items, more }) => (
          <>
            <Table caption="Blocks in force" columns={columns} rows={items} rowKey={keyOf} empty={
              <Empty title="The user is not blocked.">
                <p>A block comes with stopping a session: stop it under <a href={`/admin/viewers?q=${userId}`}>Live viewers</a> and choose for how long.</p>
              </Empty>
            } />
            {more && <p class="small soft list-more">Only the first {SHOWN_MAX} are shown.</p>}
          </>
        )}
      </Loading>
      {lifting.value && (
        <Lift block={lifting.value} onClose={() => (lifting.value = null)} onLifted={() => {
          onChanged();
          return poll.reload();
        }} />
      )}
    </Panel>
  );
}

function LiftButton({ onClick }: { onClick: () => void }) {
  return <Button slim disabled={isCutOff()} onClick={onClick}>Lift</Button>;
}

function Lift({ block, onClose, onLifted }: { block: Block; onClose: () => void; onLifted: () => Promise<void> }) {
  const where = block.stream_id ?? "all streams";
  const action = useAction({ name: "Lift the block", shown: () => true }, async () => {
    await write("delete", "/blocks/{block_id}", { params: { block_id: block.block_id } });
    void onLifted();
    return `The user may start sessions on ${where} again.`;
  });
  return (
    <Confirm open onClose={onClose} title="Lift the block" action={action} verb="Lift the block" danger={false}>
      <p>The user may start sessions on {where} at once, instead of from {localTime(block.until_ms)} on.</p>
    </Confirm>
  );
}
