import { expect, test } from "vitest";
import { ApiError } from "../../../api/client";
import { faultsOfApi } from "./refused";
import { NEW_STREAM, newSource } from "./values";

const refused = (code: string, errors: { field: string; detail: string }[] = []) => ({ code, message: "not so", problem: { status: 400, code, detail: "not so", errors } }) as unknown as ApiError;

test("faults stand at the API's fields", () => {
  expect(faultsOfApi(null, NEW_STREAM)).toEqual({});
  expect(faultsOfApi(refused("invalid", [{ field: "title", detail: "a" }, { field: "title", detail: "b" }, { field: "ingest", detail: "c" }]), NEW_STREAM)).toEqual({ title: "a; b", "ingest.mode": "c" });
});

test("a refused source stands at the source, if there is only one of its kind", () => {
  const backups = [newSource("srt"), newSource("pull")];
  expect(faultsOfApi(refused("source_refused"), { ...NEW_STREAM, backups })).toEqual({ "backups.1.url": "not so" });
  expect(faultsOfApi(refused("ingest_port_taken"), { ...NEW_STREAM, backups })).toEqual({ "backups.0.port": "not so" });
  expect(faultsOfApi(refused("source_refused"), { ...NEW_STREAM, ingest: newSource("pull"), backups })).toEqual({});
});
