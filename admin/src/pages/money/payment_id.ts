/** The id of a payment that a person makes here. The API pays each id once. */

/** Return a new id. A form makes one when it opens, and keeps it over retries. */
export function newPaymentId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  return `admin-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
