/** The page Money: what sessions cost, what payments moved, and whether it agrees with what was served. */
import { useAddress } from "../../ui/address";
import { PageHead } from "../../ui/parts";
import { Payments } from "./payments";
import { Reconciliation } from "./reconciliation/reconciliation";
import { Totals } from "./totals";
import "./money.css";

const TABS = [
  { key: "", name: "Totals" },
  { key: "payments", name: "Payments" },
  { key: "reconciliation", name: "Reconciliation" },
];

export function Money() {
  const { query } = useAddress();
  const tab = TABS.find((each) => each.key === query["tab"])?.key ?? "";
  return (
    <>
      <PageHead title="Money" />
      <nav class="tabs" aria-label="Parts of Money">
        {TABS.map((each) => (
          <a key={each.key} href={each.key ? `/admin/money?tab=${each.key}` : "/admin/money"} aria-current={tab === each.key ? "page" : undefined}>{each.name}</a>
        ))}
      </nav>
      {tab === "" && <Totals />}
      {tab === "payments" && <Payments />}
      {tab === "reconciliation" && <Reconciliation />}
    </>
  );
}
