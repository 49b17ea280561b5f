/** Dialogs that change an account: role, and disable or enable. A conflict shows both versions. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { ApiError, read, write } from "../../../api/client";
import { useAction } from "../../../actions/action";
import { points } from "../../../format/points";
import { plural } from "../../../format/words";
import { Confirm } from "../../../ui/buttons";
import { SelectField } from "../../../ui/fields";
import { Message } from "../../../ui/parts";
import { conflictRows, type Account, type Change, type ConflictRow } from "./conflict";
import { ROLE_NAMES, ROLE_TEXTS, ROLES, type Role } from "./roles";
import type { Wallet } from "../wallet";

export interface Opened {
  account: Account;
  etag: string | undefined;
}

interface ChangeProps {
  /** The version that the person saw when the dialog opened. */
  opened: Opened;
  onClose: () => void;
  onChanged: () => Promise<void>;
}

function ChangeAccount({ opened, onClose, onChanged, title, verb, danger, change, done, disabled = false, children }: ChangeProps & {
  title: string; verb: string; danger: boolean; change: Partial<Change>; done: (account: Account) => string; disabled?: boolean; children: ComponentChildren;
}) {
  const base = useSignal(opened);
  const conflict = useSignal<ConflictRow[] | null>(null);
  const action = useAction({ name: title, shown: () => true }, async () => {
    const params = { user_id: opened.account.user_id };
    try {
      const answer = await write("patch", "/users/{user_id}", { params, body: change as Change, ifMatch: base.peek().etag });
      void onChanged();
      return done(answer);
    } catch (error) {
      if (error instanceof ApiError && error.status === 412) {
        const found = await read("/users/{user_id}", { params });
        if (!found.unchanged) {
          conflict.value = conflictRows(base.peek().account, found.data, change as Change, error.problem.differing);
          base.value = { account: found.data, etag: found.etag };
        }
      }
      throw error;
    }
  });
  return (
    <Confirm open onClose={onClose} title={title} action={action} verb={conflict.value ? "Apply my change to the version of now" : verb} danger={danger} disabled={disabled}>
      {children}
      {conflict.value && <Conflict rows={conflict.value} />}
    </Confirm>
  );
}

function Conflict({ rows }: { rows: ConflictRow[] }) {
  return (
    <Message tone="warn" title="Somebody else changed this account meanwhile." live>
      <div class="table-scroll">
        <table class="table">
          <thead>
            <tr><th scope="col">Field</th><th scope="col">When you opened this</th><th scope="col">Now</th><th scope="col">Your change</th></tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.field}><th scope="row">{row.field}</th><td>{row.seen}</td><td>{row.current}</td><td>{row.wanted || "as it is now"}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
      <p>Cancel keeps the account as it is now.</p>
    </Message>
  );
}

export function ChangeRole(props: ChangeProps) {
  const { account } = props.opened;
  const role = useSignal<Role>(account.role);
  return (
    <ChangeAccount {...props} title="Change the role" verb={`Make it ${ROLE_NAMES[role.value].toLowerCase()}`} danger={false} disabled={role.value === account.role}
      change={{ role: role.value }} done={(now) => `${now.email} was ${ROLE_NAMES[account.role].toLowerCase()} and is ${ROLE_NAMES[now.role].toLowerCase()} now.`}>
      <p class="break"><strong>{account.email}</strong> is {ROLE_NAMES[account.role].toLowerCase()} now.</p>
      <SelectField label="Role from now on" value={role.value} onChange={(value) => (role.value = value as Role)} hint={ROLE_TEXTS[role.value]}
        options={ROLES.map((each) => ({ value: each, label: ROLE_NAMES[each] }))} />
    </ChangeAccount>
  );
}

export function ChangeState({ wallet, ...props }: ChangeProps & { wallet: Wallet | undefined }) {
  const { account } = props.opened;
  if (account.disabled) {
    return (
      <ChangeAccount {...props} title="Enable the account" verb="Enable the account" danger={false} change={{ disabled: false }} done={(now) => `${now.email} can sign in and watch again.`}>
        <p class="break"><strong>{account.email}</strong> can sign in and watch again, with the password and the wallet that it has.</p>
      </ChangeAccount>
    );
  }
  return (
    <ChangeAccount {...props} title="Disable the account" verb="Disable the account" danger change={{ disabled: true }} done={(now) => `${now.email} is disabled. All its logins and sessions have ended.`}>
      <p class="break"><strong>{account.email}</strong> cannot sign in any more. All its logins end at once.</p>
      <Ending wallet={wallet} />
      <p>Wallet, ledger and history stay. The account can be enabled again.</p>
    </ChangeAccount>
  );
}

/** What ends with the logins of an account. */
export function Ending({ wallet }: { wallet: Wallet | undefined }) {
  if (!wallet) return <p>Its running sessions end as well. Points that are paid for time not watched are given back.</p>;
  if (wallet.sessions.length === 0) return <p>It has no running session, and {points(wallet.balance_millipoints)} points in its wallet.</p>;
  return (
    <p>
      It ends {plural(wallet.sessions.length, "running session")}. Points that are paid for time not watched are given back; the wallet
      holds {points(wallet.balance_millipoints)} points now.
    </p>
  );
}
