/** The page User. */
import { PageHead } from "../../ui/parts";

export function User() {
  return <PageHead title="User" />;
}
