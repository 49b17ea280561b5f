/** What a service key may be, checked as the API does. */
import type { Schemas } from "../../../api/client";

export type ServiceKey = Schemas["ServiceKeyAnswer"];
export type Scope = Schemas["Scope"];

export const DAYS_MAX = 400;
export const OVERLAP_HOURS_MAX = 168;
export const SCOPES: readonly { scope: Scope; text: string }[] = [
  { scope: "credit", text: "look up a user, add points to wallets, read and reverse the payments that it made" },
  { scope: "metrics", text: "read metrics, series, errors and the canary's runs" },
  { scope: "canary", text: "end sessions of synthetic viewers, and report runs of the canary" },
];

/** Return what is wrong with a name, or null. */
export function nameFault(text: string): string | null {
  return /^[A-Za-z0-9][A-Za-z0-9 ._:@/-]{0,63}$/.test(text.trim()) ? null : "Begin with a letter or a digit, and use only letters, digits, spaces and . _ : @ / -";
}

/** Return a whole number from 0 or 1 to a limit, or what is wrong. */
export function wholeOf(text: string, min: number, max: number): number | { fault: string } {
  const value = Number(text.trim());
  if (!/^\d{1,6}$/.test(text.trim()) || value < min || value > max) return { fault: `Give a whole number from ${min} to ${max}.` };
  return value;
}

export type KeyState = "valid" | "expires soon" | "expired" | "revoked";
const SOON_MS = 14 * 86_400_000;

/** Return what is true of a key now. */
export function stateOf(key: ServiceKey, nowMs: number): KeyState {
  if (key.revoked_at_ms !== null) return "revoked";
  if (nowMs >= key.expires_at_ms) return "expired";
  return key.expires_at_ms - nowMs < SOON_MS ? "expires soon" : "valid";
}

/** Usable keys first, of these the one that expires first; then the others, newest first. */
export function sortedKeys(keys: readonly ServiceKey[], nowMs: number): ServiceKey[] {
  const isUsable = (key: ServiceKey): boolean => key.revoked_at_ms === null && nowMs < key.expires_at_ms;
  return [...keys].sort((a, b) => {
    if (isUsable(a) !== isUsable(b)) return isUsable(a) ? -1 : 1;
    return isUsable(a) ? a.expires_at_ms - b.expires_at_ms : b.created_at_ms - a.created_at_ms;
  });
}
