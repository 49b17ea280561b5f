/** The health of the API's dependencies. A 503 of this path is an answer to show, and no outage. */
import { ApiError, type Schemas } from "../../api/client";

export type Health = Schemas["HealthAnswer"];
const ANSWER_MS_MAX = 15_000;

/** Return the health. Throw `ApiError` where the API does not answer. */
export async function loadHealth(_: string | undefined, signal: AbortSignal): Promise<Health> {
  const limit = AbortSignal.timeout(ANSWER_MS_MAX);
  let response: Response;
  try {
    response = await fetch("/healthz", { headers: { Accept: "application/json" }, cache: "no-store", signal: AbortSignal.any([limit, signal]) });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError({ status: 0, code: "no_answer", detail: "The API could not be reached." }, null);
  }
  const found = await response.json().catch(() => undefined) as unknown;
  if ((response.ok || response.status === 503) && isHealth(found)) return found;
  const detail = `The server answered ${response.status} without saying how its dependencies are.`;
  throw new ApiError({ status: response.status, code: "no_health", detail }, response.headers.get("X-Request-ID"));
}

/** Whether a body is the answer, and not a proxy's page. */
export function isHealth(found: unknown): found is Health {
  if (typeof found !== "object" || found === null) return false;
  const { status, dependencies } = found as Partial<Health>;
  return (status === "ok" || status === "failed") && typeof dependencies === "object" && dependencies !== null;
}
