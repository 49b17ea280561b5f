/** The page of the first look: figures, problems, charts, and the first steps on a new platform. */
import { useOverview } from "../../frame/overview_poll";
import { Freshness, PageHead } from "../../ui/parts";
import { Charts } from "./charts";
import { Figures } from "./figures";
import { FirstRun } from "./first_run";
import { ProblemsPanel } from "./problems_panel";
import { useHealth, useMetrics, useStreamProblems } from "./sources";
import "./overview.css";

export function Overview() {
  const overview = useOverview();
  const metrics = useMetrics();
  const health = useHealth();
  const streams = useStreamProblems();
  return (
    <>
      <PageHead title="Overview"><Freshness of={overview} /></PageHead>
      <Figures metrics={metrics} />
      <FirstRun />
      <ProblemsPanel metrics={metrics} health={health} streams={streams} />
      <Charts />
    </>
  );
}
