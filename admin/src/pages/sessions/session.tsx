/** The page Session. */
import { PageHead } from "../../ui/parts";

export function Session() {
  return <PageHead title="Session" />;
}
