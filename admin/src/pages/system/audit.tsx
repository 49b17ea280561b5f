/** What operators and service keys did. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../../api/client";
import { useAddress } from "../../ui/address";
import { Button } from "../../ui/buttons";
import { SearchField, TextField } from "../../ui/fields";
import { PagedList } from "../../ui/list";
import { Empty, Panel, Time } from "../../ui/parts";
import { Table, type Column } from "../../ui/table";
import { changesOf, isActorId, targetHref, type Entry } from "./changes";

const PAGE = 50;
const auditHref = (filter: "user" | "by", of: string): string => `/admin/system?tab=audit&${filter}=${encodeURIComponent(of)}`;

const COLUMNS: readonly Column<Entry>[] = [
  { key: "when", name: "When", head: true, wide: true, cell: (each) => <Time at={each.at_ms} /> },
  {
    key: "by", name: "By", wide: true, cell: (each) => (
      <span>
        <a class="break" href={auditHref("by", each.by_user_id)} title="Show only what this one did">{each.by_email ?? each.by_user_id}</a>
        {each.ip && <span class="small soft"> from {each.ip}</span>}
      </span>
    ),
  },
  { key: "action", name: "Action", wide: true, cell: (each) => <strong>{each.action.replaceAll("_", " ").replace(".", ": ")}</strong> },
  { key: "target", name: "On", wide: true, cell: (each) => <Target of={each} /> },
  { key: "changes", name: "What changed", wide: true, cell: (each) => <Changes of={each} /> },
];

function Target({ of }: { of: Entry }) {
  const href = targetHref(of);
  const isAccount = of.target === of.user_id;
  const name = (isAccount && of.user_email) || of.target;
  return (
    <span class="break">
      {href ? <a href={href}>{name}</a> : name}
      {of.user_id && <> <a class="small" href={auditHref("user", of.user_id)}>{isAccount ? "all on it" : `all on ${of.user_email ?? of.user_id}`}</a></>}
    </span>
  );
}

function Changes({ of }: { of: Entry }) {
  const changes = changesOf(of);
  if (changes.length === 0) return <span class="soft">nothing</span>;
  return (
    <ul class="system-changes">
      {changes.map((each) => (
        <li key={each.name}>
          <span class="soft">{each.name}:</span>{" "}
          {each.before !== undefined && <><del>{each.before}</del> <span aria-hidden="true">→</span><span class="visually-hidden"> is now </span> </>}
          {each.after}
        </li>
      ))}
    </ul>
  );
}

/** Return the id for an email or an id. */
async function idOf(text: string): Promise<string> {
  return isActorId(text) ? text : (await get("/users/lookup", { query: { email: text } })).user_id;
}

export function AuditTab() {
  const { query } = useAddress();
  const user = query["user"] ?? "";
  // The API filters by one of them.
  const by = user ? "" : (query["by"] ?? "");
  const load = async (cursor: string | undefined) => get("/audit", {
    query: { limit: PAGE, cursor, ...(user && { user_id: await idOf(user) }), ...(by && { by_user_id: await idOf(by) }) },
  });
  const again = useSignal(0);
  return (
    <Panel title="Audit log" side={<><span class="small soft">newest first, kept for 400 days</span><Button slim onClick={() => (again.value += 1)}>Load again</Button></>} flush>
      <Filters user={user} by={by} />
      <PagedList of={`${user} ${by} ${again.value}`} load={load}>
        {(items) => (
          <Table
            caption="Acts of operators and service keys" columns={COLUMNS} rows={items} rowKey={(each) => each.audit_id}
            empty={user || by ? <Empty title={user ? "Nothing was done to this user." : "This one did nothing."}><a href="/admin/system?tab=audit">Show all</a></Empty> : <Empty title="Nothing was done yet." />}
          />
        )}
      </PagedList>
    </Panel>
  );
}

function Filters({ user, by }: { user: string; by: string }) {
  const { set } = useAddress();
  const typedUser = useSignal(user);
  const typedBy = useSignal(by);
  useEffect(() => {
    typedUser.value = user;
    typedBy.value = by;
  }, [user, by]);
  return (
    <form
      class="system-above filters"
      onSubmit={(event) => {
        event.preventDefault();
        set({ user: typedUser.value.trim(), by: typedBy.value.trim() }, { replace: false });
      }}
    >
      <SearchField label="Done to the user" value={typedUser.value} onChange={(value) => { typedUser.value = value; if (value) typedBy.value = ""; }} placeholder="email or id" />
      <TextField label="Done by" value={typedBy.value} onChange={(value) => { typedBy.value = value; if (value) typedUser.value = ""; }} placeholder="email, id or key:ID" autocomplete="off" spellcheck={false} />
      <Button type="submit">Show</Button>
      {(user || by) && <a class="button quiet" href="/admin/system?tab=audit">Show all</a>}
    </form>
  );
}
