/** Where the API's refusal of a form is shown. */
import type { ApiError } from "../../../api/client";
import type { Faults } from "./check";
import type { FormValues, SourceKind } from "./values";

/** Refusals without a field, and the kind of source and the field that they are about. */
const OF_SOURCES: Record<string, { kind: SourceKind; field: string }> = {
  source_refused: { kind: "pull", field: "url" },
  ingest_port_taken: { kind: "srt", field: "port" },
};

/** Return the faults of the API by its fields. A fault of a whole source shows at its kind. */
export function faultsOfApi(error: Pick<ApiError, "code" | "message" | "problem"> | null, values: FormValues): Faults {
  const faults: Faults = {};
  if (!error) return faults;
  for (const { field, detail } of error.problem.errors ?? []) {
    const name = /^(ingest|backups\.\d+)$/.test(field) ? `${field}.mode` : field;
    faults[name] = faults[name] ? `${faults[name]}; ${detail}` : detail;
  }
  const about = OF_SOURCES[error.code];
  if (about) {
    const found = [values.ingest, ...values.backups].flatMap((source, n) => (source.kind === about.kind ? [n] : []));
    // With several it is not known which one is meant; the message names it.
    if (found.length === 1) faults[`${found[0] === 0 ? "ingest" : `backups.${(found[0] ?? 0) - 1}`}.${about.field}`] = error.message;
  }
  return faults;
}
