import { afterEach, beforeEach, expect, test, vi } from "vitest";

const START = Date.parse("2026-12-01T10:00:00Z");
const MINUTE = 60_000;

class Channel {
  static last: Channel;
  sent: object[] = [];
  onmessage: ((event: { data: object }) => void) | null = null;
  constructor() {
    Channel.last = this;
  }
  postMessage(data: object): void {
    this.sent.push(data);
  }
}

type Respond = () => Response | Promise<Response>;
let answers: Record<string, Respond>;
let asked: string[];
let stored: Map<string, string>;

const grant = (name: string, text: string, expires_in = 900): Response =>
  Response.json({ access_token: text, expires_in, user: { user_id: `u_${name}`, email: `${name}@local`, role: "admin" } });
const problem = (status: number): Response => Response.json({ status, code: "refused", detail: "No." }, { status });

beforeEach(() => {
  vi.resetModules();
  vi.useFakeTimers({ now: START, toFake: ["Date"] });
  asked = [];
  stored = new Map();
  answers = { login: () => grant("ann", "ann-1"), refresh: () => grant("ann", "ann-2"), logout: () => new Response(null, { status: 204 }) };
  let queue: Promise<unknown> = Promise.resolve();
  vi.stubGlobal("navigator", { locks: { request: (_: string, act: () => Promise<unknown>) => (queue = queue.catch(() => undefined).then(act)) } });
  vi.stubGlobal("BroadcastChannel", Channel);
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
    removeItem: (key: string) => stored.delete(key),
  });
  vi.stubGlobal("fetch", async (url: string) => {
    const name = url.split("/").at(-1) ?? "";
    asked.push(name);
    return (answers[name] as Respond)();
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Return the module as in a tab where Ann has just signed in. */
async function signedIn(): Promise<typeof import("./token")> {
  const token = await import("./token");
  await token.signIn("ann@local", "secret");
  return token;
}

test("a token is renewed before its end, and once for all requests that were refused with it", async () => {
  const token = await signedIn();
  const login = token.presentLogin();
  expect(await token.accessToken(login)).toBe("ann-1");
  expect(await Promise.all([token.accessToken(login, "ann-1"), token.accessToken(login, "ann-1")])).toEqual(["ann-2", "ann-2"]);
  expect(await token.accessToken(login, "ann-1")).toBe("ann-2");
  expect(asked).toEqual(["login", "refresh"]);
  vi.setSystemTime(START + 14.5 * MINUTE);
  answers["refresh"] = () => grant("ann", "ann-3");
  expect(await token.accessToken(login)).toBe("ann-3");
});

test("a refresh that is under way does not undo a sign-out, and the newest cookie is the one that is revoked", async () => {
  const token = await signedIn();
  let answer: (response: Response) => void = () => undefined;
  answers["refresh"] = () => new Promise((resolve) => (answer = resolve));
  const waiting = token.accessToken(token.presentLogin(), "ann-1").catch((error: unknown) => error);
  await vi.waitFor(() => expect(asked).toContain("refresh"));
  const out = token.signOut();
  expect(token.user.peek()).toBeNull();
  expect(asked).not.toContain("logout");
  answer(grant("ann", "ann-2"));
  expect(await waiting).toMatchObject({ status: 401 });
  await out;
  expect(asked.at(-1)).toBe("logout");
  expect(token.user.peek()).toBeNull();
  await expect(token.accessToken(token.presentLogin())).rejects.toMatchObject({ status: 401 });
});

test("a request of one person never gets the token of another who has signed in meanwhile", async () => {
  const token = await signedIn();
  const login = token.presentLogin();
  answers["refresh"] = () => grant("bob", "bob-1");
  await expect(token.accessToken(login, "ann-1")).rejects.toMatchObject({ status: 401 });
  expect(token.user.peek()).toBeNull();
  expect(token.signedOutBecause.peek()).toContain("Somebody else");
  answers["login"] = () => grant("bob", "bob-2");
  await token.signIn("bob@local", "secret");
  await expect(token.accessToken(login)).rejects.toMatchObject({ status: 401 });
  expect(await token.accessToken(token.presentLogin())).toBe("bob-2");
});

test("another tab's sign-in of somebody else ends this one, and that of the same person does not", async () => {
  const token = await signedIn();
  expect(Channel.last.sent).toEqual([{ signedIn: "u_ann" }]);
  Channel.last.onmessage?.({ data: { signedIn: "u_ann" } });
  expect(token.user.peek()).toMatchObject({ user_id: "u_ann" });
  Channel.last.onmessage?.({ data: { signedIn: "u_bob" } });
  expect(token.user.peek()).toBeNull();
});

test("an outage of the refresh keeps the login, a refusal ends it", async () => {
  const token = await signedIn();
  const login = token.presentLogin();
  for (const respond of [() => problem(503), () => problem(429), () => Promise.reject(new TypeError("no network"))]) {
    answers["refresh"] = respond;
    await expect(token.accessToken(login, "ann-1")).rejects.toBeDefined();
    expect(token.user.peek()).toMatchObject({ user_id: "u_ann" });
  }
  answers["refresh"] = () => problem(401);
  await expect(token.accessToken(login, "ann-1")).rejects.toMatchObject({ status: 401 });
  expect([token.user.peek(), token.signedOutBecause.peek()]).toEqual([null, "Your login has ended. Sign in again."]);
});

test("whether the cookie is valid stays unknown until the server says so", async () => {
  const token = await import("./token");
  answers["refresh"] = () => problem(429);
  await expect(token.restore()).rejects.toMatchObject({ status: 429 });
  expect(token.user.peek()).toBeUndefined();
  answers["refresh"] = () => problem(401);
  await token.restore();
  expect([token.user.peek(), token.signedOutBecause.peek()]).toEqual([null, null]);
});

test("the input after an idle time signs out, such as that which wakes a laptop", async () => {
  const token = await signedIn();
  vi.setSystemTime(START + 31 * MINUTE);
  token.noteUse();
  expect(token.user.peek()).toBeNull();
  await vi.waitFor(() => expect(asked.at(-1)).toBe("logout"));
  expect(Channel.last.sent.at(-1)).toEqual({ signedOut: "You were signed out after 30 minutes without input." });
});

test("a tab that was not used stays signed in while another one is", async () => {
  const token = await signedIn();
  const otherMs = START + 25 * MINUTE;
  stored.set("tollcast-used-at", String(otherMs));
  vi.setSystemTime(START + 31 * MINUTE);
  expect(await token.accessToken(token.presentLogin())).toBe("ann-2");
  vi.setSystemTime(otherMs + 30 * MINUTE);
  await expect(token.accessToken(token.presentLogin())).rejects.toMatchObject({ status: 401 });
});

test("steady use is shared with the other tabs", async () => {
  const token = await signedIn();
  for (let s = 5; s <= 60; s += 5) {
    vi.setSystemTime(START + s * 1000);
    token.noteUse();
  }
  expect(Number(stored.get("tollcast-used-at"))).toBeGreaterThan(START + 50_000);
});

test("a page that was closed and idle for too long is not restored", async () => {
  stored.set("tollcast-used-at", String(START - 31 * MINUTE));
  const token = await import("./token");
  await token.restore();
  expect([token.user.peek(), asked]).toEqual([null, ["logout"]]);
});

test("a clock that is set back neither ends the login at once nor keeps it for ever", async () => {
  const token = await signedIn();
  vi.setSystemTime(START - 600 * MINUTE);
  expect(await token.accessToken(token.presentLogin())).toBe("ann-1");
  vi.setSystemTime(START - 569 * MINUTE);
  await expect(token.accessToken(token.presentLogin())).rejects.toMatchObject({ status: 401 });
});
