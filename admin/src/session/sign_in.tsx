/** The login page. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useAction } from "../actions/action";
import { Refusal, Message } from "../ui/parts";
import { SubmitButton, Button } from "../ui/buttons";
import { TextField } from "../ui/fields";
import { signedOutBecause, signIn, signOut } from "./token";

/** `refused` is the email of a viewer, whose role has no pages here. */
export function SignIn({ refused }: { refused?: string }) {
  const email = useSignal("");
  const password = useSignal("");
  const form = useRef<HTMLFormElement>(null);
  const login = useAction({ name: "Sign in", shown: () => true }, async () => {
    await signIn(email.value.trim(), password.value);
    return null;
  });
  useEffect(() => {
    document.title = "Sign in – Tollcast";
    form.current?.querySelector("input")?.focus();
  }, []);
  const error = login.error.value;
  return (
    <main class="sign-in">
      <div class="row">
        <img src="/admin/icon.svg" alt="" width="32" height="32" />
        <h1>Tollcast</h1>
      </div>
      {refused ? (
        <>
          <Message tone="warn" title="This account has no pages here.">
            {refused} has the role viewer. The dashboard is for operators, finance and admins; viewers use the command <code>player</code>.
          </Message>
          <Button onClick={() => void signOut()}>Sign in as somebody else</Button>
        </>
      ) : (
        <form
          ref={form}
          class="panel"
          onSubmit={(event) => {
            event.preventDefault();
            void login.run();
          }}
        >
          <div class="body fields">
            {signedOutBecause.value && <Message tone="accent">{signedOutBecause.value}</Message>}
            <TextField label="Email" type="email" autocomplete="username" required maxLength={255} value={email.value} onChange={(value) => (email.value = value)} />
            <TextField label="Password" type="password" autocomplete="current-password" required maxLength={200} value={password.value} onChange={(value) => (password.value = value)} />
            {error && <Refusal error={error} />}
            <SubmitButton action={login}>Sign in</SubmitButton>
          </div>
        </form>
      )}
    </main>
  );
}
