/**
 * The login of this browser.
 *
 * The access token is in memory only. The refresh token is in a cookie that no script can read and that is sent to
 * `/auth/browser/` alone. The cookie lives for `IDLE_MS`, and the page renews it only while somebody uses it.
 */
import { signal } from "@preact/signals";
import { ApiError, request, type Schemas } from "../api/client";

export type User = Schemas["UserAnswer"];
interface Grant {
  access_token: string;
  expires_in: number;
  user: User;
}

/** After so long without input, the page signs out. Equal to the cookie's `Max-Age`. */
export const IDLE_MS = 30 * 60_000;
/** A token is renewed so long before its end. */
const RENEW_BEFORE_MS = 60_000;
const CSRF = { "X-CSRF": "1", Accept: "application/json" };
/** One tab refreshes at a time, so that all see the newest cookie. */
const LOCK = "tollcast-refresh";

/** Who is signed in: null for nobody, undefined until the cookie was tried. */
export const user = signal<User | null | undefined>(undefined);
/** Why the last login ended, for the login page. */
export const signedOutBecause = signal<string | null>(null);

let token: { text: string; endsAtMs: number } | null = null;
let usedAtMs = Date.now();
const tabs = new BroadcastChannel("tollcast");

/** Return a valid access token. With `renew`, one that is newer than the present one. Throw `ApiError`. */
export async function accessToken({ renew = false } = {}): Promise<string> {
  const now = Date.now();
  if (now - usedAtMs >= IDLE_MS) {
    await signOut("You were signed out after 30 minutes without input.");
    throw signedOut();
  }
  if (token && !renew && now < token.endsAtMs - RENEW_BEFORE_MS) {
    return token.text;
  }
  const refused = token;
  return navigator.locks.request(LOCK, async () => {
    // Another request of this tab has refreshed it meanwhile.
    if (token && token !== refused) return token.text;
    await refresh();
    if (!token) throw signedOut();
    return (token as { text: string }).text;
  });
}

function signedOut(): ApiError {
  return new ApiError({ status: 401, code: "unauthenticated", detail: "You are signed out." }, null);
}

/** Try the cookie of an earlier login. Set `user`. */
export async function restore(): Promise<void> {
  try {
    await navigator.locks.request(LOCK, refresh);
  } catch (error) {
    if (error instanceof ApiError && error.isOutage) throw error;
    user.value = null;
  }
}

async function refresh(): Promise<void> {
  try {
    const response = await request("POST", "/auth/browser/refresh", CSRF);
    granted((await response.json()) as Grant);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      const wasSignedIn = user.peek() != null;
      forget(wasSignedIn ? "Your login has ended. Sign in again." : null);
    }
    throw error;
  }
}

/** Sign in with a password. Throw `ApiError`. */
export async function signIn(email: string, password: string): Promise<void> {
  const response = await request("POST", "/auth/browser/login", CSRF, { email, password });
  usedAtMs = Date.now();
  granted((await response.json()) as Grant);
  signedOutBecause.value = null;
}

/** End the login of this browser, in all its tabs. */
export async function signOut(because: string | null = null): Promise<void> {
  forget(because);
  tabs.postMessage({ signedOut: because });
  // Without an answer the cookie stays until it expires, and the page must not claim otherwise.
  await request("POST", "/auth/browser/logout", CSRF).catch(() => {
    signedOutBecause.value = "This page is signed out, but the server could not be told. Its cookie expires within 30 minutes.";
  });
}

function granted(grant: Grant): void {
  token = { text: grant.access_token, endsAtMs: Date.now() + grant.expires_in * 1000 };
  const before = user.peek();
  if (!before || before.user_id !== grant.user.user_id || before.role !== grant.user.role) user.value = grant.user;
}

function forget(because: string | null): void {
  token = null;
  user.value = null;
  signedOutBecause.value = because;
}

/** Note that somebody uses the page. Call it for each input. */
export function noteUse(): void {
  const now = Date.now();
  // Once in a while is enough for the other tabs.
  if (now - usedAtMs > 10_000) tabs.postMessage({ usedAtMs: now });
  usedAtMs = now;
}

tabs.onmessage = ({ data }: MessageEvent<{ usedAtMs?: number; signedOut?: string | null }>) => {
  if (data.usedAtMs) usedAtMs = Math.max(usedAtMs, data.usedAtMs);
  if (data.signedOut !== undefined) forget(data.signedOut);
};

/** Whether the caller runs streams and sessions. */
export const operates = (who = user.value): boolean => who?.role === "operator" || who?.role === "admin";
/** Whether the caller handles wallets and payments. */
export const finances = (who = user.value): boolean => who?.role === "finance" || who?.role === "admin";
/** Whether the caller changes accounts, keys and reads the audit log. */
export const administers = (who = user.value): boolean => who?.role === "admin";
