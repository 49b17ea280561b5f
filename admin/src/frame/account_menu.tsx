/** The account: who is signed in, light or dark, sign out. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { LogOut, Moon, Sun, SunMoon, UserRound } from "lucide-preact";
import { write } from "../api/client";
import { useAction } from "../actions/action";
import { signOut, user } from "../session/token";
import { Button, Confirm } from "../ui/buttons";
import { theme, type Theme } from "../ui/theme";

const THEMES: { value: Theme; name: string; Icon: typeof Sun }[] = [
  { value: "system", name: "As the system", Icon: SunMoon },
  { value: "light", name: "Light", Icon: Sun },
  { value: "dark", name: "Dark", Icon: Moon },
];

export function AccountMenu() {
  const open = useSignal(false);
  const asking = useSignal(false);
  const element = useRef<HTMLDivElement>(null);
  const who = user.value;
  const everywhere = useAction({ name: "Sign out everywhere" }, async () => {
    await write("post", "/auth/logout-everywhere");
    await signOut("You are signed out everywhere.");
    return "All logins and sessions of your account have ended.";
  });
  useEffect(() => {
    const away = (event: Event): void => {
      if (event instanceof KeyboardEvent ? event.key === "Escape" : !element.current?.contains(event.target as Node)) open.value = false;
    };
    document.addEventListener("pointerdown", away);
    document.addEventListener("keydown", away);
    return () => {
      document.removeEventListener("pointerdown", away);
      document.removeEventListener("keydown", away);
    };
  }, []);
  return (
    <div class="account" ref={element}>
      <button type="button" class="button quiet" aria-expanded={open.value} aria-label={`Account of ${who?.email ?? ""}`} onClick={() => (open.value = !open.value)}>
        <UserRound class="icon" aria-hidden="true" />
        <span class="account-email">{who?.email}</span>
      </button>
      {open.value && (
        <div class="account-menu panel">
          <div>
            <strong class="break">{who?.email}</strong>
            <div class="soft small">Role: {who?.role}</div>
          </div>
          <fieldset class="theme-choice">
            <legend class="soft small">Appearance</legend>
            {THEMES.map(({ value, name, Icon }) => (
              <label key={value} class="check">
                <input type="radio" name="theme" checked={theme.value === value} onChange={() => (theme.value = value)} />
                <span><Icon class="icon" aria-hidden="true" /> {name}</span>
              </label>
            ))}
          </fieldset>
          <Button onClick={() => void signOut()}>
            <LogOut class="icon" aria-hidden="true" /> Sign out
          </Button>
          <Button look="danger" onClick={() => { open.value = false; asking.value = true; }}>Sign out everywhere …</Button>
        </div>
      )}
      <Confirm open={asking.value} onClose={() => (asking.value = false)} title="Sign out everywhere" action={everywhere} verb="Sign out everywhere">
        <p>This ends every login of your account, in all browsers and commands, and the sessions that you are watching. What was paid and not watched is given back.</p>
      </Confirm>
    </div>
  );
}
