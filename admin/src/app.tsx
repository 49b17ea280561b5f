/** Who sees what: the login page, or the frame with the page of the address. */
import type { ComponentType } from "preact";
import { ErrorBoundary, lazy, LocationProvider, Route, Router } from "preact-iso";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { shownError, type ApiError } from "./api/client";
import { Frame } from "./frame/frame";
import { NotLoaded, PageFault } from "./frame/page_fault";
import { SignIn } from "./session/sign_in";
import { finances, operates, restore, user } from "./session/token";
import { Empty, Message, Refusal } from "./ui/parts";
import { Overview } from "./pages/overview/overview";

/** A page that is loaded when it is first opened. */
const part = (load: () => Promise<ComponentType>) => lazy(() => load().catch(() => NotLoaded));
const Streams = part(() => import("./pages/streams/streams").then((m) => m.Streams));
const NewStream = part(() => import("./pages/streams/new_stream").then((m) => m.NewStream));
const Stream = part(() => import("./pages/stream/stream").then((m) => m.Stream));
const Viewers = part(() => import("./pages/viewers/viewers").then((m) => m.Viewers));
const Sessions = part(() => import("./pages/sessions/sessions").then((m) => m.Sessions));
const Session = part(() => import("./pages/sessions/session").then((m) => m.Session));
const Users = part(() => import("./pages/users/users").then((m) => m.Users));
const User = part(() => import("./pages/users/user").then((m) => m.User));
const Money = part(() => import("./pages/money/money").then((m) => m.Money));
const System = part(() => import("./pages/system/system").then((m) => m.System));

const RETRY_MS = 3_000;

export function App() {
  const fault = useSignal<ApiError | null>(null);
  const tries = useSignal(0);
  useEffect(() => {
    if (!isSecureContext) return;
    restore().then(
      () => (fault.value = null),
      (error: unknown) => {
        fault.value = shownError(error);
        window.setTimeout(() => (tries.value += 1), RETRY_MS);
      },
    );
  }, [tries.value]);
  if (!isSecureContext) return <Insecure />;
  if (user.value === undefined) {
    return fault.value ? (
      <main class="sign-in">
        <Refusal error={fault.value} title={fault.value.isOutage ? "The API does not answer. It is tried again." : "Whether you are signed in is not known. It is tried again."} />
      </main>
    ) : null;
  }
  if (user.value === null) return <SignIn />;
  if (user.value.role === "viewer") return <SignIn refused={user.value.email} />;
  return (
    // For another person or role, nothing of the pages stays: neither data nor what was typed.
    <LocationProvider key={`${user.value.user_id} ${user.value.role}`} scope="/admin">
      <Frame>
        <PageFault>
          <ErrorBoundary>
            <Router onRouteChange={focusPage}>
              <Route path="/admin/" component={Overview} />
              <Route path="/admin/streams" component={operates() ? Streams : NotFound} />
              <Route path="/admin/streams/new" component={operates() ? NewStream : NotFound} />
              <Route path="/admin/streams/:id" component={operates() ? Stream : NotFound} />
              <Route path="/admin/viewers" component={Viewers} />
              <Route path="/admin/sessions" component={Sessions} />
              <Route path="/admin/sessions/:id" component={Session} />
              <Route path="/admin/users" component={Users} />
              <Route path="/admin/users/:id" component={User} />
              <Route path="/admin/money" component={finances() ? Money : NotFound} />
              <Route path="/admin/system" component={System} />
              <Route default component={NotFound} />
            </Router>
          </ErrorBoundary>
        </PageFault>
      </Frame>
    </LocationProvider>
  );
}

/** Without HTTPS a browser keeps no login, except from the machine itself. */
function Insecure() {
  return (
    <main class="sign-in">
      <Message tone="warn" title="This page needs HTTPS.">
        Open it by an address that begins with https://, or on the machine of the platform by http://127.0.0.1. By this address the browser keeps no login.
      </Message>
    </main>
  );
}

/** After a change of the page, the keyboard continues at its heading, as after a load. */
function focusPage(): void {
  window.requestAnimationFrame(() => {
    const heading = document.querySelector<HTMLElement>(".page h1");
    if (!heading) return;
    document.title = `${heading.textContent} – Tollcast`;
    if (document.activeElement === document.body || document.activeElement?.closest(".nav")) heading.focus({ preventScroll: true });
  });
}

function NotFound() {
  return (
    <Empty title="There is no such page for your role.">
      <a href="/admin/">Go to the overview</a>
    </Empty>
  );
}
