/** The page User: everything about one account. */
import { useSignal } from "@preact/signals";
import { useRoute } from "preact-iso";
import { Ban, KeyRound, RotateCcw, Trash2, UserCog } from "lucide-preact";
import { read } from "../../api/client";
import { usePoll, type Polled } from "../../live/poll";
import { administers, finances, operates, user as me } from "../../session/token";
import { useAddress } from "../../ui/address";
import { Button } from "../../ui/buttons";
import { Badge, Empty, Facts, Freshness, isCutOff, Message, PageHead, Panel, Refusal, Time } from "../../ui/parts";
import { Blocks } from "./blocks";
import { ChangeRole, ChangeState, type Opened } from "./account/change_account";
import type { Account } from "./account/conflict";
import { Erase } from "./account/erase";
import { Ledger } from "./ledger";
import { ResetPassword } from "./account/reset_password";
import { ROLE_NAMES, ROLE_TEXTS } from "./account/roles";
import { Timeline } from "./timeline";
import { AccountState } from "./users";
import { useWallet, type Wallet } from "./wallet";
import { WalletPanel } from "./wallet_panel";
import "./users.css";

const EVERY_MS = 5000;

export function User() {
  const id = useRoute().params["id"] ?? "";
  if (!/^u_[a-z2-7]{20}$/.test(id)) {
    return (
      <>
        <PageHead title="User" />
        <Empty title="This is not a user id.">
          <p>A user id is u_ and 20 letters and digits. <a href={`/admin/users?q=${encodeURIComponent(id)}`}>Search for it</a></p>
        </Empty>
      </>
    );
  }
  return finances() ? <WithWallet key={id} id={id} /> : <OneUser key={id} id={id} wallet={null} />;
}

function WithWallet({ id }: { id: string }) {
  return <OneUser id={id} wallet={useWallet(id)} />;
}

type Dialog = "role" | "state" | "password" | "erase";

function OneUser({ id, wallet }: { id: string; wallet: Polled<Wallet> | null }) {
  const { query, set } = useAddress();
  const account = usePoll(`user:${id}`, (ifNoneMatch, signal) => read("/users/{user_id}", { params: { user_id: id }, ifNoneMatch, signal }), EVERY_MS);
  const opened = useSignal<{ which: Dialog; of: Opened } | null>(null);
  const revision = useSignal(0);
  const erasedEmail = useSignal<string | null>(null);
  const changed = async (): Promise<void> => {
    revision.value += 1;
    await account.reload();
  };
  const open = (which: Dialog): void => {
    const now = account.data.peek();
    if (now) opened.value = { which, of: { account: now, etag: account.etag.peek() } };
  };
  const close = (): void => {
    opened.value = null;
  };
  const error = account.error.value;
  const isGone = erasedEmail.value !== null || error?.status === 404;
  const data = isGone ? undefined : account.data.value;
  const who = data?.email ?? id;
  const tabs = [
    { key: "", name: "Timeline" },
    ...(wallet ? [{ key: "ledger", name: "Ledger" }] : []),
    ...(operates() ? [{ key: "blocks", name: "Blocks" }] : []),
  ];
  const tab = tabs.find((each) => each.key === query["tab"])?.key ?? "";
  const dialog = opened.value;
  const walletNow = wallet?.data.value;
  return (
    <>
      <PageHead title={<span class="break">{data?.email ?? "User"}</span>}>
        <Freshness of={account} />
        {data && <Buttons account={data} open={open} />}
      </PageHead>
      {isGone ? (
        <Message tone="warn" title={erasedEmail.value ? `${erasedEmail.value} is erased.` : "There is no account with this id."}>
          <p>If it was erased, its wallet, payments and sessions stay under the id <span class="mono break">{id}</span>, which names no person.</p>
        </Message>
      ) : error && !data ? (
        <Refusal error={error} />
      ) : null}
      {data && <AccountFacts of={data} />}
      {wallet && <WalletPanel wallet={wallet} who={who} canCredit={!isGone} onChanged={() => (revision.value += 1)} />}
      <nav class="tabs" aria-label="About the user">
        {tabs.map((each) => (
          <a key={each.key} href={each.key ? `?tab=${each.key}` : location.pathname} aria-current={tab === each.key ? "page" : undefined}
            onClick={(event) => {
              if (event.metaKey || event.ctrlKey || event.shiftKey) return;
              event.preventDefault();
              set({ tab: each.key, kind: null }, { replace: false });
            }}>
            {each.name}
          </a>
        ))}
        <a href={`/admin/sessions?user_id=${id}`}>Sessions</a>
        {wallet && <a href={`/admin/money?tab=payments&user=${id}`}>Payments</a>}
      </nav>
      {tab === "" && <Timeline userId={id} revision={revision.value} />}
      {tab === "ledger" && <Ledger userId={id} revision={revision.value} />}
      {tab === "blocks" && <Blocks userId={id} onChanged={() => (revision.value += 1)} />}
      {dialog?.which === "role" && <ChangeRole opened={dialog.of} onClose={close} onChanged={changed} />}
      {dialog?.which === "state" && <ChangeState opened={dialog.of} wallet={walletNow} onClose={close} onChanged={changed} />}
      {dialog?.which === "password" && <ResetPassword opened={dialog.of} wallet={walletNow} onClose={close} onChanged={changed} />}
      {dialog?.which === "erase" && (
        <Erase account={dialog.of.account} wallet={walletNow} onClose={close} onErased={() => {
          erasedEmail.value = dialog.of.account.email;
          void changed();
        }} />
      )}
    </>
  );
}

function AccountFacts({ of }: { of: Account }) {
  return (
    <Panel>
      <div class="columns">
        <Facts of={[
          ["User id", <span class="mono break">{of.user_id}</span>],
          ["State", <AccountState of={of} />],
        ]} />
        <Facts of={[
          ["Role", <span class="row"><Badge tone={of.role === "viewer" ? "plain" : "accent"}>{ROLE_NAMES[of.role]}</Badge> <span class="small soft">{ROLE_TEXTS[of.role]}</span></span>],
          ["Created", <Time at={of.created_at_ms} />],
        ]} />
      </div>
    </Panel>
  );
}

function Buttons({ account, open }: { account: Account; open: (which: Dialog) => void }) {
  if (!administers()) return null;
  const isMe = account.user_id === me.value?.user_id;
  const isOut = isCutOff();
  return (
    <>
      <Button disabled={isOut} onClick={() => open("password")}><KeyRound class="icon" aria-hidden="true" /> Reset password</Button>
      {isMe ? (
        <span class="small soft">This is your account: another admin changes its role, disables or erases it.</span>
      ) : (
        <>
          <Button disabled={isOut} onClick={() => open("role")}><UserCog class="icon" aria-hidden="true" /> Role</Button>
          <Button disabled={isOut} look={account.disabled ? "plain" : "danger"} onClick={() => open("state")}>
            {account.disabled ? <><RotateCcw class="icon" aria-hidden="true" /> Enable</> : <><Ban class="icon" aria-hidden="true" /> Disable</>}
          </Button>
          <Button disabled={isOut} look="danger" onClick={() => open("erase")}><Trash2 class="icon" aria-hidden="true" /> Erase</Button>
        </>
      )}
    </>
  );
}
