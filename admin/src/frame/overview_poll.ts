/** The overview of the platform, read once for the bar and the pages. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { read, type Schemas } from "../api/client";
import { usePoll, type Polled } from "../live/poll";

export type OverviewAnswer = Schemas["OverviewAnswer"];
export const OverviewContext = createContext<Polled<OverviewAnswer> | null>(null);

/** Start to read the overview. The frame does it once. */
export function useOverviewPoll(): Polled<OverviewAnswer> {
  return usePoll("overview", (ifNoneMatch, signal) => read("/monitoring/overview", { ifNoneMatch, signal }));
}

/** Return the overview that the frame reads. */
export function useOverview(): Polled<OverviewAnswer> {
  const found = useContext(OverviewContext);
  if (!found) throw new Error("useOverview outside of the frame");
  return found;
}
