/** The user of a filter: an id, an email, or how an email begins. */
import { useSignal, type ReadonlySignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get, shownError, type ApiError, type Schemas } from "../../api/client";
import { Button } from "../../ui/buttons";
import { Message, Refusal } from "../../ui/parts";

type User = Schemas["UserAnswer"];
export type Found =
  | { state: "any" | "looking" | "none" }
  | { state: "one"; userId: string }
  | { state: "several"; users: Pick<User, "user_id" | "email">[] }
  | { state: "failed"; error: ApiError };

const CHOICES = 8;
/** Typing pauses for so long before the API is asked. */
const PAUSE_MS = 300;
const USER_ID = /^u_[A-Za-z0-9]{4,}$/;

/** Return whom a text means. An id is not looked up. */
export function useFoundUser(text: string): ReadonlySignal<Found> {
  const found = useSignal<Found>({ state: text ? "looking" : "any" });
  useEffect(() => {
    if (!text) found.value = { state: "any" };
    else if (USER_ID.test(text)) found.value = { state: "one", userId: text };
    if (!text || USER_ID.test(text)) return;
    found.value = { state: "looking" };
    const ended = new AbortController();
    const timer = window.setTimeout(() => {
      get("/users", { query: { q: text, limit: CHOICES }, signal: ended.signal }).then(
        ({ items }) => (found.value = chosen(text, items)),
        (error: unknown) => {
          if (ended.signal.aborted) return;
          found.value = { state: "failed", error: shownError(error) };
        },
      );
    }, PAUSE_MS);
    return () => {
      window.clearTimeout(timer);
      ended.abort();
    };
  }, [text]);
  return found;
}

/** Return whom the accounts that begin with a text mean. A whole email means its own account only. */
export function chosen(text: string, users: readonly Pick<User, "user_id" | "email">[]): Found {
  const exact = users.find((user) => user.email?.toLowerCase() === text.trim().toLowerCase());
  const one = exact ?? (users.length === 1 ? users[0] : undefined);
  if (one) return { state: "one", userId: one.user_id };
  return users.length ? { state: "several", users: [...users] } : { state: "none" };
}

/** What keeps the list from being shown: nobody found, or several. */
export function UserChoice({ of, text, onChoose }: { of: Found; text: string; onChoose: (text: string) => void }) {
  if (of.state === "failed") return <Refusal error={of.error} />;
  if (of.state === "none") return <Message tone="warn" title={`No account's email begins with “${text}”.`}>Give an email, its beginning, or a user id (u_…).</Message>;
  if (of.state !== "several") return <div class="empty" role="status">Looking for the user …</div>;
  return (
    <Message tone="accent" title="Which of them?">
      <div class="row">
        {of.users.map((user) => <Button slim key={user.user_id} onClick={() => onChoose(user.email ?? user.user_id)}>{user.email ?? user.user_id}</Button>)}
      </div>
    </Message>
  );
}
