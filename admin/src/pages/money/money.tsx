/** The page Money. */
import { PageHead } from "../../ui/parts";

export function Money() {
  return <PageHead title="Money" />;
}
