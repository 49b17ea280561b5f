/** Pages that cannot be drawn or loaded: the frame stays, and other pages work. */
import type { ComponentChildren } from "preact";
import { useLocation } from "preact-iso";
import { useEffect, useErrorBoundary } from "preact/hooks";
import { Button } from "../ui/buttons";
import { Message } from "../ui/parts";

export function PageFault({ children }: { children: ComponentChildren }) {
  const [error, reset] = useErrorBoundary();
  const { path } = useLocation();
  useEffect(() => {
    if (error) reset();
  }, [path]);
  if (!error) return <>{children}</>;
  return (
    <Message tone="bad" title="This page could not be shown." live>
      <div class="stack tight">
        <p>The fault is in the page, and nothing was changed by it. Load the page again; if it comes back, tell those who run Tollcast this: <code class="break">{String(error)}</code></p>
        <div><Button onClick={() => location.reload()}>Load the page again</Button></div>
      </div>
    </Message>
  );
}

/** In place of a page that could not be loaded. */
export function NotLoaded() {
  return (
    <Message tone="bad" title="This page could not be loaded." live>
      <div class="stack tight">
        <p>The network failed, or a newer version is served.</p>
        <div><Button onClick={() => location.reload()}>Load the page again</Button></div>
      </div>
    </Message>
  );
}
