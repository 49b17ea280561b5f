/** What runs the platform: its parts, their load, what failed, and who did what. */
import type { ComponentType } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { administers, operates } from "../../session/token";
import { useAddress } from "../../ui/address";
import { Empty, PageHead } from "../../ui/parts";
import { AuditTab } from "./audit";
import { CanaryTab } from "./canary";
import { ErrorsTab } from "./errors";
import { GatewayTab } from "./gateway";
import { HealthTab } from "./health_tab";
import { KeysTab } from "./keys/keys";
import { QueuesTab } from "./queues";
import { WorkersTab } from "./workers";
import "./system.css";

interface Tab {
  key: string;
  name: string;
  allowed: () => boolean;
  Content: ComponentType;
}

const TABS: readonly Tab[] = [
  { key: "health", name: "Health", allowed: () => true, Content: HealthTab },
  { key: "workers", name: "Workers", allowed: operates, Content: WorkersTab },
  { key: "gateway", name: "Gateway", allowed: () => true, Content: GatewayTab },
  { key: "queues", name: "Queues", allowed: () => true, Content: QueuesTab },
  { key: "canary", name: "Canary", allowed: () => true, Content: CanaryTab },
  { key: "errors", name: "Errors", allowed: () => true, Content: ErrorsTab },
  { key: "audit", name: "Audit log", allowed: administers, Content: AuditTab },
  { key: "keys", name: "Service keys", allowed: administers, Content: KeysTab },
];

export function System() {
  const { query } = useAddress();
  const tabs = TABS.filter((each) => each.allowed());
  const current = query["tab"] ? tabs.find((each) => each.key === query["tab"]) : tabs[0];
  const bar = useRef<HTMLElement>(null);
  // On a narrow screen the tabs scroll sideways.
  useEffect(() => bar.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }), [current]);
  return (
    <>
      <PageHead title="System" />
      <nav ref={bar} class="tabs" aria-label="Parts of the system">
        {tabs.map((each) => (
          <a key={each.key} href={`/admin/system?tab=${each.key}`} aria-current={each === current ? "page" : undefined}>{each.name}</a>
        ))}
      </nav>
      {current ? <current.Content key={current.key} /> : <Empty title="There is no such part for your role."><a href="/admin/system">Go to Health</a></Empty>}
    </>
  );
}
