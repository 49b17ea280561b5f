/** The page Streams. */
import { PageHead } from "../../ui/parts";

export function Streams() {
  return <PageHead title="Streams" />;
}
