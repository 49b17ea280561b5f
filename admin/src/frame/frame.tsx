/** What surrounds every page: the figures of the platform, the pages that the role may see, the account. */
import type { ComponentChildren } from "preact";
import { useLocation } from "preact-iso";
import { useEffect } from "preact/hooks";
import { ChartNoAxesColumn, CircleDollarSign, Eye, History, MonitorPlay, Server, Users } from "lucide-preact";
import { failingSinceMs } from "../api/client";
import { finances, operates } from "../session/token";
import { Notices } from "../ui/notices";
import { Ago, Message } from "../ui/parts";
import { AccountMenu } from "./account_menu";
import { HeadFigures } from "./head_figures";
import { OverviewContext, useOverviewPoll } from "./overview_poll";

const PAGES = [
  { path: "/admin/", name: "Overview", Icon: ChartNoAxesColumn, allowed: () => true },
  { path: "/admin/streams", name: "Streams", Icon: MonitorPlay, allowed: operates },
  { path: "/admin/viewers", name: "Live viewers", Icon: Eye, allowed: () => true },
  { path: "/admin/sessions", name: "Sessions", Icon: History, allowed: () => true },
  { path: "/admin/users", name: "Users", Icon: Users, allowed: () => true },
  { path: "/admin/money", name: "Money", Icon: CircleDollarSign, allowed: finances },
  { path: "/admin/system", name: "System", Icon: Server, allowed: () => true },
] as const;

export function Frame({ children }: { children: ComponentChildren }) {
  const { path } = useLocation();
  const overview = useOverviewPoll();
  useEffect(() => {
    document.addEventListener("keydown", goToSearch);
    return () => document.removeEventListener("keydown", goToSearch);
  }, []);
  return (
    <OverviewContext.Provider value={overview}>
    <div class="frame">
      <a class="skip" href="#page">Skip to the page</a>
      <header class="bar">
        <a class="brand" href="/admin/">
          <img src="/admin/icon.svg" alt="" width="24" height="24" />
          <span>Tollcast</span>
        </a>
        <HeadFigures />
        <AccountMenu />
      </header>
      <nav class="nav" aria-label="Pages">
        <ul>
          {PAGES.filter((page) => page.allowed()).map(({ path: to, name, Icon }) => (
            <li key={to}>
              <a href={to} aria-current={isCurrent(to, path) ? "page" : undefined}>
                <Icon class="icon" aria-hidden="true" />
                {name}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <main class="page" id="page">
        <Outage />
        {children}
      </main>
      <Notices />
    </div>
    </OverviewContext.Provider>
  );
}

function isCurrent(page: string, path: string): boolean {
  return page === "/admin/" ? path === page || path === "/admin" : path === page || path.startsWith(`${page}/`);
}

/** Says since when the API does not answer. What is shown stays, and nothing can be changed. */
function Outage() {
  const since = failingSinceMs.value;
  if (since === null) return null;
  return (
    <Message tone="bad" title="The API does not answer." live>
      Everything on this page is as of <Ago at={since} /> or older. It is tried again all the time; until then nothing can be changed.
    </Message>
  );
}

/** `/` goes to the search of the page, unless somebody types. */
function goToSearch(event: KeyboardEvent): void {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  const { target } = event;
  if (target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable], dialog")) return;
  const search = document.querySelector<HTMLInputElement>("[data-search]");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
}

