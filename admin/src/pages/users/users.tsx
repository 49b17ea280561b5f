/** The page Users: find an account, and create one. */
import { useSignal } from "@preact/signals";
import { useLocation } from "preact-iso";
import { Bot, UserPlus } from "lucide-preact";
import { get, type Schemas } from "../../api/client";
import { administers } from "../../session/token";
import { useAddress } from "../../ui/address";
import { Button } from "../../ui/buttons";
import { SearchField, SelectField } from "../../ui/fields";
import { PagedList } from "../../ui/list";
import { Badge, Empty, PageHead, Panel, Time } from "../../ui/parts";
import { Table, type Column } from "../../ui/table";
import { CsvButton } from "../money/csv_button";
import { csvTime, type CsvColumn } from "../money/csv";
import { CreateAccount } from "./account/create_account";
import { useDelayed } from "./delayed";
import { ROLE_NAMES, ROLES } from "./account/roles";
import "./users.css";

type Account = Schemas["UserAnswer"];

const COLUMNS: readonly Column<Account>[] = [
  { key: "email", name: "Email", head: true, wide: true, cell: (row) => <a class="break" href={`/admin/users/${row.user_id}`}>{row.email}</a> },
  { key: "role", name: "Role", cell: (row) => <Badge tone={row.role === "viewer" ? "plain" : "accent"}>{ROLE_NAMES[row.role]}</Badge> },
  { key: "state", name: "State", cell: (row) => <AccountState of={row} /> },
  { key: "created", name: "Created", cell: (row) => <Time at={row.created_at_ms} /> },
  { key: "id", name: "User id", wide: true, cell: (row) => <span class="mono soft break">{row.user_id}</span> },
];

const CSV: readonly CsvColumn<Account>[] = [
  { name: "user_id", value: (row) => row.user_id },
  { name: "email", value: (row) => row.email },
  { name: "role", value: (row) => row.role },
  { name: "disabled", value: (row) => row.disabled },
  { name: "created_at_utc", value: (row) => csvTime(row.created_at_ms) },
];

export function AccountState({ of }: { of: Pick<Account, "disabled" | "is_canary"> }) {
  return (
    <span class="row">
      {of.disabled ? <Badge tone="bad">disabled</Badge> : <Badge tone="good">enabled</Badge>}
      {of.is_canary && (
        <Badge title="A synthetic viewer that tests the platform. Sums leave it out.">
          <Bot class="icon" aria-hidden="true" /> synthetic
        </Badge>
      )}
    </span>
  );
}

export function Users() {
  const { query, set } = useAddress();
  const { route } = useLocation();
  const creating = useSignal(false);
  const q = query["q"] ?? "";
  const [text, type] = useDelayed(q, (settled) => set({ q: settled }));
  const role = ROLES.find((each) => each === query["role"]);
  const disabled = query["disabled"] === "true" ? true : query["disabled"] === "false" ? false : undefined;
  const fault = /\s/.test(text.trim()) ? "An email or an id has no spaces." : null;
  const isFiltered = Boolean(q || role || disabled !== undefined);
  const load = (cursor: string | undefined, limit = 50) =>
    /\s/.test(q) ? Promise.resolve({ items: [] as Account[], next_cursor: null }) : get("/users", { query: { q: q || undefined, role, disabled, cursor, limit } });

  return (
    <>
      <PageHead title="Users">
        <CsvButton name="users" columns={CSV} load={(cursor) => load(cursor, 200)} />
        {administers() && (
          <Button look="primary" onClick={() => (creating.value = true)}>
            <UserPlus class="icon" aria-hidden="true" /> Create an account
          </Button>
        )}
      </PageHead>
      <div class="filters" role="search">
        <SearchField label="Search" placeholder="Beginning of an email or a user id" value={text} onChange={type} fault={fault} />
        <SelectField label="Role" value={role ?? ""} onChange={(value) => set({ role: value })}
          options={[{ value: "", label: "All roles" }, ...ROLES.map((each) => ({ value: each, label: ROLE_NAMES[each] }))]} />
        <SelectField label="State" value={disabled === undefined ? "" : String(disabled)} onChange={(value) => set({ disabled: value })}
          options={[{ value: "", label: "Enabled and disabled" }, { value: "false", label: "Enabled" }, { value: "true", label: "Disabled" }]} />
        {isFiltered && <Button look="quiet" onClick={() => { type(""); set({ q: null, role: null, disabled: null }); }}>Clear the filters</Button>}
      </div>
      <Panel title="Accounts" flush>
        <PagedList of={`${q}|${role ?? ""}|${String(disabled)}`} load={load}>
          {(items) => (
            <Table caption="Accounts by email" columns={COLUMNS} rows={items} rowKey={(row) => row.user_id} empty={
              isFiltered ? (
                <Empty title="No account matches.">
                  <p>The search finds how an email or a user id begins, not what is inside it.</p>
                </Empty>
              ) : (
                <Empty title="There are no accounts yet." />
              )
            } />
          )}
        </PagedList>
      </Panel>
      {creating.value && <CreateAccount onClose={() => (creating.value = false)} onCreated={(id) => route(`/admin/users/${id}`)} />}
    </>
  );
}
