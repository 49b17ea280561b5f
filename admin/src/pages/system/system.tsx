/** The page System. */
import { PageHead } from "../../ui/parts";

export function System() {
  return <PageHead title="System" />;
}
