/** The page Viewers. */
import { PageHead } from "../../ui/parts";

export function Viewers() {
  return <PageHead title="Viewers" />;
}
