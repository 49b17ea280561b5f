/** The id of a payment that a person makes here. The API pays each id once. */
import { ApiError } from "../../api/client";

/** Return a new id. A form makes one when it opens, and keeps it over retries. */
export function newPaymentId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  return `admin-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Payments whose last try had no answer, so that nobody knows whether they were made, by what they are for. */
const unanswered = new Map<string, string>();

/** Return the id of a payment for `what` that may have been made; null if there is none. */
export const unansweredPayment = (what: string): string | null => unanswered.get(what) ?? null;

/** Make a payment, and remember its id while no try of it has an answer. */
export async function payOnce<T>(what: string, paymentId: string, pay: () => Promise<T>): Promise<T> {
  try {
    const answer = await pay();
    unanswered.delete(what);
    return answer;
  } catch (error) {
    if (error instanceof ApiError && error.isOutage) unanswered.set(what, paymentId);
    throw error;
  }
}
