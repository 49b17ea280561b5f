/** The page Stream. */
import { PageHead } from "../../ui/parts";

export function Stream() {
  return <PageHead title="Stream" />;
}
