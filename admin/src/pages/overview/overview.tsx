/** The page of the first look. */
import { PageHead } from "../../ui/parts";

export function Overview() {
  return <PageHead title="Overview" />;
}
