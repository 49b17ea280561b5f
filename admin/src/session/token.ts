/**
 * The login of this browser.
 *
 * The access token is in memory only. The refresh token is in a cookie that no script can read and that is sent to
 * `/auth/browser/` alone. The cookie lives for `IDLE_MS`, and the page renews it only while somebody uses it.
 */
import { signal } from "@preact/signals";
import { notices } from "../actions/notices";
import { ApiError, jsonOf, request, type Schemas } from "../api/client";

export type User = Schemas["UserAnswer"];
interface Grant {
  access_token: string;
  expires_in: number;
  user: User;
}

/** After so long without input, the page signs out. Equal to the cookie's `Max-Age`. */
export const IDLE_MS = 30 * 60_000;
const IDLE_TEXT = "You were signed out after 30 minutes without input.";
const OTHER_TEXT = "Somebody else has signed in in another tab. All tabs of a browser have the same login.";
/** A token is renewed so long before its end. */
const RENEW_BEFORE_MS = 60_000;
const CSRF = { "X-CSRF": "1", Accept: "application/json" };
/** One tab signs in, refreshes or signs out at a time, so that all see the newest cookie. */
const LOCK = "tollcast-refresh";
/** Where tabs share the time of the last input. A message would not reach a tab that the browser has frozen. */
const USED_AT = "tollcast-used-at";
const SHARE_MS = 10_000;

/** Who is signed in: null for nobody, undefined until the cookie was tried. */
export const user = signal<User | null | undefined>(undefined);
/** Why the last login ended, for the login page. */
export const signedOutBecause = signal<string | null>(null);

let token: { text: string; endsAtMs: number } | null = null;
/** Counts logins and their ends, so that a request of one login never gets the token of another. */
let login = 0;
let usedAtMs = Date.now();
let sharedAtMs = 0;
const tabs = new BroadcastChannel("tollcast");

/** Return the number of the present login, for `accessToken`. */
export const presentLogin = (): number => login;

/** Return a valid access token of a login, and not the one that was refused. Throw `ApiError`. */
export async function accessToken(of: number, refused?: string): Promise<string> {
  if (endIfIdle() || of !== login || !user.peek()) throw signedOut();
  const known = usable(refused);
  if (known !== null) return known;
  return navigator.locks.request(LOCK, async () => {
    if (of !== login) throw signedOut();
    // Another request of this tab may have refreshed it meanwhile.
    if (usable(refused) === null) await refresh();
    if (of !== login || !token) throw signedOut();
    return token.text;
  });
}

function usable(refused: string | undefined): string | null {
  return token && token.text !== refused && Date.now() < token.endsAtMs - RENEW_BEFORE_MS ? token.text : null;
}

function signedOut(): ApiError {
  return new ApiError({ status: 401, code: "unauthenticated", detail: "You are signed out." }, null);
}

/** Try the cookie of an earlier login. Set `user`. Throw `ApiError` if it is not known whether the cookie is valid. */
export async function restore(): Promise<void> {
  if (user.peek()) return;
  const sharedMs = sharedUseMs(Date.now());
  if (sharedMs !== null && Date.now() - sharedMs >= IDLE_MS) return signOut(IDLE_TEXT);
  try {
    await navigator.locks.request(LOCK, refresh);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
  }
}

async function refresh(): Promise<void> {
  const of = login;
  try {
    const grant = await jsonOf<Grant>(await request("POST", "/auth/browser/refresh", CSRF));
    // A login that has ended meanwhile stays ended.
    if (of !== login) return;
    const before = user.peek();
    if (before && before.user_id !== grant.user.user_id) forget(OTHER_TEXT);
    else granted(grant);
  } catch (error) {
    if (of === login && error instanceof ApiError && error.status === 401) {
      forget(user.peek() ? "Your login has ended. Sign in again." : null);
    }
    throw error;
  }
}

/** Sign in with a password. Throw `ApiError`. */
export async function signIn(email: string, password: string): Promise<void> {
  await navigator.locks.request(LOCK, async () => {
    const grant = await jsonOf<Grant>(await request("POST", "/auth/browser/login", CSRF, { email, password }));
    login += 1;
    // Results of what the last person did are not for the next one.
    notices.value = [];
    signedOutBecause.value = null;
    share(Date.now());
    granted(grant);
    tabs.postMessage({ signedIn: grant.user.user_id });
  });
}

/** End the login of this browser, in all its tabs. */
export async function signOut(because: string | null = null): Promise<void> {
  forget(because);
  localStorage.removeItem(USED_AT);
  tabs.postMessage({ signedOut: because });
  // A refresh that is under way must not bring a newer cookie than the one that is revoked.
  await navigator.locks.request(LOCK, () => request("POST", "/auth/browser/logout", CSRF)).catch(() => {
    // Without an answer the cookie stays until it expires, and the page must not claim otherwise.
    if (!user.peek()) signedOutBecause.value = "This page is signed out, but the server could not be told. Its cookie expires within 30 minutes.";
  });
}

function granted(grant: Grant): void {
  token = { text: grant.access_token, endsAtMs: Date.now() + grant.expires_in * 1000 };
  const before = user.peek();
  if (!before || before.user_id !== grant.user.user_id || before.role !== grant.user.role) user.value = grant.user;
}

function forget(because: string | null): void {
  login += 1;
  token = null;
  user.value = null;
  signedOutBecause.value = because;
}

/** Note that somebody uses the page. Call it for each input. The input that ends an idle time comes too late. */
export function noteUse(): void {
  if (endIfIdle()) return;
  const now = Date.now();
  usedAtMs = now;
  if (Math.abs(now - sharedAtMs) >= SHARE_MS) share(now);
}

function share(now: number): void {
  usedAtMs = now;
  sharedAtMs = now;
  localStorage.setItem(USED_AT, String(now));
}

/** Return when a tab was used last as all tabs know it, or null. A time to come is of a clock that was set back. */
function sharedUseMs(now: number): number | null {
  const found = Number(localStorage.getItem(USED_AT) ?? Number.NaN);
  return found <= now ? found : null;
}

/** Sign out if nobody has used any tab for too long. Return whether that is so. */
function endIfIdle(): boolean {
  if (!user.peek()) return false;
  const now = Date.now();
  usedAtMs = Math.min(usedAtMs, now);
  if (now - Math.max(usedAtMs, sharedUseMs(now) ?? 0) < IDLE_MS) return false;
  void signOut(IDLE_TEXT);
  return true;
}

tabs.onmessage = ({ data }: MessageEvent<{ signedIn?: string; signedOut?: string | null }>) => {
  const who = user.peek();
  if (data.signedOut !== undefined && who !== null) forget(data.signedOut);
  if (data.signedIn !== undefined && who && who.user_id !== data.signedIn) forget(OTHER_TEXT);
};

/** Whether the caller runs streams and sessions. */
export const operates = (who = user.value): boolean => who?.role === "operator" || who?.role === "admin";
/** Whether the caller handles wallets and payments. */
export const finances = (who = user.value): boolean => who?.role === "finance" || who?.role === "admin";
/** Whether the caller changes accounts, keys and reads the audit log. */
export const administers = (who = user.value): boolean => who?.role === "admin";
