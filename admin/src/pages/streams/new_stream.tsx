/** The page NewStream. */
import { PageHead } from "../../ui/parts";

export function NewStream() {
  return <PageHead title="NewStream" />;
}
