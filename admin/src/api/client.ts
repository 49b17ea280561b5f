/**
 * Requests to the API, typed by its OpenAPI document.
 *
 * `read` and `write` send the access token, refresh it when it is about to expire, and throw `ApiError` for every
 * refusal. `failingSinceMs` says since when the API does not answer.
 */
import { signal } from "@preact/signals";
import type { components, paths } from "./schema";
import { accessToken, presentLogin } from "../session/token";

export type Schemas = components["schemas"];
type Method = "get" | "post" | "put" | "patch" | "delete";
type Operation<P extends keyof paths, M extends Method> = NonNullable<paths[P][M]>;
/** The paths that have an operation of this method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never;
}[keyof paths];

type Json<R> = R extends { content: { "application/json": infer Body } } ? Body : undefined;
type Success<O> = O extends { responses: infer R }
  ? R extends { 200: infer A } ? Json<A> : R extends { 201: infer A } ? Json<A> : undefined
  : never;
type ParametersOf<O, K extends string> = O extends { parameters: infer P }
  ? K extends keyof P ? NonNullable<P[K]> : undefined
  : undefined;
type BodyOf<O> = O extends { requestBody?: { content: { "application/json": infer B } } } ? B : undefined;

/** The answer of an operation, as JSON. */
export type Answer<P extends keyof paths, M extends Method> = Success<Operation<P, M>>;

export interface Parameters<P extends keyof paths, M extends Method> {
  params?: ParametersOf<Operation<P, M>, "path">;
  query?: ParametersOf<Operation<P, M>, "query">;
  body?: BodyOf<Operation<P, M>>;
  /** The ETag of the version that is edited. */
  ifMatch?: string | undefined;
  /** The ETag of the answer that is already here. */
  ifNoneMatch?: string | undefined;
  /** Ends the request when the page no longer needs it. */
  signal?: AbortSignal | undefined;
}

/** An answer with its ETag. `unchanged` is a 304. */
export interface Loaded<T> {
  data: T;
  etag: string | undefined;
  unchanged: false;
}
export interface Unchanged {
  unchanged: true;
}

export type Problem = Partial<Schemas["Problem"]> & { status: number; code: string; detail: string };

/** A refusal of the API, or (`status` 0) a request without an answer. */
export class ApiError extends Error {
  constructor(
    readonly problem: Problem,
    readonly requestId: string | null,
  ) {
    super(problem.detail);
  }
  get status(): number {
    return this.problem.status;
  }
  get code(): string {
    return this.problem.code;
  }
  /** Whether the same request may work in a while. */
  get isOutage(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

const ANSWER_MS_MAX = 15_000;
/** When requests began to fail without an answer of the API; null while it answers. */
export const failingSinceMs = signal<number | null>(null);

/** Return the address of a path with its parameters. */
export function address(path: string, params: object = {}, query: object = {}): string {
  let found: string = path;
  for (const [name, value] of Object.entries(params)) {
    found = found.replace(`{${name}}`, encodeURIComponent(String(value)));
  }
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `${found}?${text}` : found;
}

/** Send a request as JSON without a token. Throw `ApiError` if it is refused or has no answer. */
export async function request(method: string, url: string, headers: Record<string, string>, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const limit = AbortSignal.timeout(ANSWER_MS_MAX);
  const init: RequestInit = {
    method,
    headers: body === undefined ? headers : { ...headers, "Content-Type": "application/json" },
    credentials: "same-origin",
    cache: "no-store",
    redirect: "error",
    signal: signal ? AbortSignal.any([limit, signal]) : limit,
  };
  if (body !== undefined) init.body = JSON.stringify(body);
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    failed();
    const detail = limit.aborted
      ? `The API did not answer within ${ANSWER_MS_MAX / 1000} s.`
      : "The API could not be reached.";
    throw new ApiError({ status: 0, code: "no_answer", detail }, null);
  }
  if (response.ok || response.status === 304) {
    failingSinceMs.value = null;
    return response;
  }
  const error = new ApiError(await problemOf(response), response.headers.get("X-Request-ID"));
  if (error.isOutage) failed();
  else failingSinceMs.value = null;
  throw error;
}

function failed(): void {
  failingSinceMs.value ??= Date.now();
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const found = (await response.json()) as Problem;
    if (typeof found.detail === "string" && typeof found.code === "string") return { ...found, status: response.status };
  } catch {
    // Not from the API, for example a proxy's page.
  }
  return { status: response.status, code: "no_problem", detail: `The server answered ${response.status} without a reason.` };
}

/** Return what is read of an answer's body. Throw `ApiError` if the body breaks off or has another form. */
async function bodyOf<T>(body: Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await body;
  } catch (error) {
    if (signal?.aborted) throw error;
    failed();
    throw new ApiError({ status: 0, code: "broken_answer", detail: "The answer of the API broke off, or cannot be read." }, null);
  }
}

/** Return an answer's JSON. Throw `ApiError` if it cannot be read. */
export const jsonOf = <T>(response: Response, signal?: AbortSignal): Promise<T> => bodyOf<T>(response.json() as Promise<T>, signal);

/** Return an error as one that a page shows. Others than `ApiError` are faults of the page, and go to the console too. */
export function shownError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  console.error(error);
  return new ApiError({ status: 500, code: "page_fault", detail: "This page could not handle the answer. Reload it, and report it if it happens again." }, null);
}

async function authorized(method: Method, path: string, given: Parameters<never, never>): Promise<Response> {
  const wanted = given as { params?: object; query?: object; body?: unknown; ifMatch?: string; ifNoneMatch?: string; signal?: AbortSignal };
  const url = address(path, wanted.params, wanted.query);
  const send = async (token: string): Promise<Response> => {
    const headers: Record<string, string> = { Accept: "application/json", Authorization: `Bearer ${token}` };
    if (wanted.ifMatch !== undefined) headers["If-Match"] = wanted.ifMatch;
    if (wanted.ifNoneMatch !== undefined) headers["If-None-Match"] = wanted.ifNoneMatch;
    return request(method.toUpperCase(), url, headers, wanted.body, wanted.signal);
  };
  const login = presentLogin();
  const token = await accessToken(login);
  try {
    return await send(token);
  } catch (error) {
    // The clock of this machine may be wrong, or the login was ended elsewhere: the refresh finds out.
    if (error instanceof ApiError && error.status === 401) return send(await accessToken(login, token));
    throw error;
  }
}

/** GET an operation's answer. With `ifNoneMatch` the result may be `unchanged`. */
export async function read<P extends PathOf<"get">>(path: P, given: Parameters<P, "get"> = {}): Promise<Loaded<Answer<P, "get">> | Unchanged> {
  const response = await authorized("get", path, given as Parameters<never, never>);
  if (response.status === 304) return { unchanged: true };
  const data = await jsonOf<Answer<P, "get">>(response, given.signal);
  return { data, etag: response.headers.get("ETag") ?? undefined, unchanged: false };
}

/** GET an operation's answer, without an ETag. */
export async function get<P extends PathOf<"get">>(path: P, given: Omit<Parameters<P, "get">, "ifNoneMatch"> = {}): Promise<Answer<P, "get">> {
  const loaded = await read(path, given as Parameters<P, "get">);
  if (loaded.unchanged) throw new Error("304 for a request without If-None-Match");
  return loaded.data;
}

/** Send a change and return its answer. */
export async function write<M extends Exclude<Method, "get">, P extends PathOf<M>>(
  method: M, path: P, given: Omit<Parameters<P, M>, "ifNoneMatch"> = {},
): Promise<Answer<P, M>> {
  const response = await authorized(method, path, given as Parameters<never, never>);
  return response.status === 204 ? (undefined as Answer<P, M>) : jsonOf<Answer<P, M>>(response, given.signal);
}

/** GET an operation's answer as text, in a format that the API offers for it. */
export async function readText<P extends PathOf<"get">>(path: P, given: Parameters<P, "get"> = {}): Promise<string> {
  return bodyOf((await authorized("get", path, given as Parameters<never, never>)).text(), given.signal);
}

/** Download an operation's answer as a file, in a format that the API offers for it. */
export async function download<P extends PathOf<"get">>(path: P, name: string, given: Parameters<P, "get"> = {}): Promise<void> {
  const response = await authorized("get", path, given as Parameters<never, never>);
  saveFile(name, await bodyOf(response.blob(), given.signal));
}

/** Save content as a file of the person's browser. */
export function saveFile(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
