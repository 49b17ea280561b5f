/** A user's wallet: what it holds, what spends from it, and the buttons that change it. */
import { useSignal } from "@preact/signals";
import { Coins, FileDown, Gauge } from "lucide-preact";
import { saveFile } from "../../api/client";
import { useAction } from "../../actions/action";
import { points } from "../../format/points";
import { plural } from "../../format/words";
import { duration } from "../../format/units";
import type { Polled } from "../../live/poll";
import { ActionButton, Button } from "../../ui/buttons";
import { Ago, Badge, Figure, Freshness, isCutOff, Loading, Panel, Points } from "../../ui/parts";
import { Table, type Column } from "../../ui/table";
import { Credit, DailyCap } from "./credit";
import { readStatement } from "./statement";
import type { Wallet } from "./wallet";

type Spending = Wallet["sessions"][number];

const COLUMNS: readonly Column<Spending>[] = [
  { key: "session", name: "Session", head: true, wide: true, cell: (row) => <a class="mono break" href={`/admin/sessions/${row.session_id}`}>{row.session_id}</a> },
  { key: "stream", name: "Stream", cell: (row) => <span class="row">{row.stream_id}{row.kind === "preview" && <Badge>preview</Badge>}</span> },
  { key: "rate", name: "Points a minute", number: true, cell: (row) => <Points of={row.rate_millipoints_per_minute} /> },
  { key: "spent", name: "Spent", number: true, cell: (row) => <Points of={row.charged_millipoints} /> },
  { key: "since", name: "For", number: true, cell: (row) => <Ago at={row.started_at_ms} suffix="" /> },
];

export function WalletPanel({ wallet, who, canCredit, onChanged }: { wallet: Polled<Wallet>; who: string; canCredit: boolean; onChanged: () => void }) {
  const dialog = useSignal<"credit" | "cap" | null>(null);
  const opened = useSignal<Wallet | null>(null);
  const open = (which: "credit" | "cap"): void => {
    opened.value = wallet.data.peek() ?? null;
    dialog.value = which;
  };
  const close = (): void => {
    dialog.value = null;
  };
  const changed = async (): Promise<void> => {
    onChanged();
    await wallet.reload();
  };
  const data = wallet.data.value;
  return (
    <Panel title="Wallet" side={
      <>
        <Freshness of={wallet} />
        {data && canCredit && (
          <>
            <Button slim look="primary" disabled={isCutOff()} onClick={() => open("credit")}><Coins class="icon" aria-hidden="true" /> Credit</Button>
            <Button slim disabled={isCutOff()} onClick={() => open("cap")}><Gauge class="icon" aria-hidden="true" /> Daily cap</Button>
          </>
        )}
        {data && <Statements userId={data.user_id} />}
      </>
    }>
      <Loading of={wallet}>
        {(now) => (
          <div class="stack">
            <div class="figures">
              <Figure name="Balance" value={points(now.balance_millipoints)} unit="points" hint={lasts(now)} />
              <Figure name="Debt" value={points(now.debt_millipoints)} unit="points" hint={now.debt_millipoints ? "The next start pays it." : "Nothing is owed."} />
              <Figure name="Spent today" value={points(now.spent_today_millipoints)} unit="points" hint="On this UTC day; what is given back does not count." />
              <Figure name="Daily cap" value={now.daily_cap_millipoints === null ? "none" : points(now.daily_cap_millipoints)} unit={now.daily_cap_millipoints === null ? "" : "points"} hint={left(now)} />
            </div>
            {now.sessions.length > 0 && (
              <>
                <h3>{plural(now.sessions.length, "active session")}</h3>
                <Table caption="Active sessions of the wallet" columns={COLUMNS} rows={now.sessions} rowKey={(row) => row.session_id} empty={null} />
              </>
            )}
          </div>
        )}
      </Loading>
      {dialog.value === "credit" && opened.value && <Credit wallet={opened.value} who={who} onClose={close} onChanged={changed} />}
      {dialog.value === "cap" && opened.value && <DailyCap wallet={opened.value} who={who} onClose={close} onChanged={changed} />}
    </Panel>
  );
}

function lasts(wallet: Wallet): string {
  const rate = wallet.sessions.reduce((sum, each) => sum + each.rate_millipoints_per_minute, 0);
  if (!rate) return wallet.sessions.length ? "Nothing is spent now." : "No active session.";
  return `Lasts ${duration((wallet.balance_millipoints * 60_000) / rate)} after the paid time.`;
}

function left(wallet: Wallet): string {
  if (wallet.daily_cap_millipoints === null) return "The balance is the only limit.";
  return `${points(Math.max(0, wallet.daily_cap_millipoints - wallet.spent_today_millipoints))} points left today.`;
}

function Statements({ userId }: { userId: string }) {
  return (
    <>
      <StatementButton userId={userId} format="csv" />
      <StatementButton userId={userId} format="json" />
    </>
  );
}

function StatementButton({ userId, format }: { userId: string; format: "csv" | "json" }) {
  const lines = useSignal(0);
  const action = useAction({ name: "Download the statement" }, async () => {
    lines.value = 0;
    const found = await readStatement(userId, format, (sofar) => (lines.value = sofar));
    const name = `statement-${userId}.${format}`;
    saveFile(name, new Blob([found.text], { type: format === "csv" ? "text/csv;charset=utf-8" : "application/json" }));
    return `${name} has ${plural(found.lines, "line")}. Check it: player verify ${name}`;
  });
  return (
    <ActionButton slim action={action}>
      <FileDown class="icon" aria-hidden="true" /> {action.running.value && lines.value ? plural(lines.value, "line") : `Statement ${format.toUpperCase()}`}
    </ActionButton>
  );
}
