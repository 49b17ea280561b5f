/** The page Users. */
import { PageHead } from "../../ui/parts";

export function Users() {
  return <PageHead title="Users" />;
}
