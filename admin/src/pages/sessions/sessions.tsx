/** The page Sessions. */
import { PageHead } from "../../ui/parts";

export function Sessions() {
  return <PageHead title="Sessions" />;
}
