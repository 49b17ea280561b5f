/** The roles of accounts in words. */
import type { Schemas } from "../../../api/client";

export type Role = Schemas["Role"];
export const ROLES: readonly Role[] = ["viewer", "operator", "finance", "admin"];
export const ROLE_NAMES: Record<Role, string> = { viewer: "Viewer", operator: "Operator", finance: "Finance", admin: "Admin" };
export const ROLE_TEXTS: Record<Role, string> = {
  viewer: "Watches. Reaches only its own wallet and sessions.",
  operator: "Runs streams and sessions as well. Sees no wallets.",
  finance: "Handles wallets, payments and reconciliation as well.",
  admin: "Does everything, and manages accounts and service keys.",
};
