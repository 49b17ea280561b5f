/** Small parts that every page uses: panels, badges, figures, times, messages. */
import type { ComponentChildren } from "preact";
import { CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-preact";
import type { ReadonlySignal } from "@preact/signals";
import { ApiError, failingSinceMs } from "../api/client";
import { duration, localTime, utc } from "../format/units";
import { points, UNKNOWN } from "../format/points";
import { nowMs } from "../live/clock";
import type { Polled } from "../live/poll";

export type Tone = "good" | "warn" | "bad" | "accent" | "plain";
const ICONS = { good: CircleCheck, warn: TriangleAlert, bad: CircleAlert, accent: Info, plain: Info };

/** A state in words, with an icon: the colour alone says nothing. */
export function Badge({ tone = "plain", icon = true, title, children }: { tone?: Tone; icon?: boolean; title?: string | undefined; children: ComponentChildren }) {
  const Icon = ICONS[tone];
  return (
    <span class={`badge ${tone}`} title={title}>
      {icon && tone !== "plain" && <Icon class="icon" aria-hidden="true" />}
      {children}
    </span>
  );
}

/** A part of a page with a heading. `side` stands at the end of the heading: ages, buttons. */
export function Panel({ title, side, children, flush = false, id }: { title?: ComponentChildren; side?: ComponentChildren; children: ComponentChildren; flush?: boolean; id?: string }) {
  return (
    <section class="panel" id={id}>
      {(title || side) && (
        <header>
          <h2>{title}</h2>
          {side && <div class="row">{side}</div>}
        </header>
      )}
      {flush ? children : <div class="body">{children}</div>}
    </section>
  );
}

/** The heading of a page, with its buttons. */
export function PageHead({ title, children }: { title: ComponentChildren; children?: ComponentChildren }) {
  return (
    <div class="page-head">
      <h1 tabIndex={-1}>{title}</h1>
      {children && <div class="row">{children}</div>}
    </div>
  );
}

/** A figure with its name. `unit` and `hint` are optional. */
export function Figure({ name, value, unit, hint }: { name: string; value: ComponentChildren; unit?: string; hint?: ComponentChildren }) {
  return (
    <div class="figure">
      <dl>
        <dt>{name}</dt>
        <dd>
          {value === UNKNOWN ? <Unknown /> : value} {unit && value !== UNKNOWN && <small>{unit}</small>}
        </dd>
      </dl>
      {hint && <div class="small soft">{hint}</div>}
    </div>
  );
}

/** Names and values below each other. */
export function Facts({ of }: { of: [ComponentChildren, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {of.map(([name, value], n) => [<dt key={`n${n}`}>{name}</dt>, <dd key={`v${n}`}>{value}</dd>])}
    </dl>
  );
}

/** What nobody knows. It is never shown as 0. */
export function Unknown({ why = "unknown" }: { why?: string }) {
  return (
    <span class="soft" title={why}>
      <span aria-hidden="true">{UNKNOWN}</span>
      <span class="visually-hidden">{why}</span>
    </span>
  );
}

/** A local time; the tooltip has UTC. */
export function Time({ at }: { at: number | null | undefined }) {
  if (at === null || at === undefined) return <Unknown />;
  return (
    <time dateTime={new Date(at).toISOString()} title={utc(at)}>
      {localTime(at)}
    </time>
  );
}

/** How long ago a time was; it grows while the page is open. The tooltip has the time. */
export function Ago({ at, suffix = " ago" }: { at: number | null | undefined; suffix?: string }) {
  if (at === null || at === undefined) return <Unknown />;
  return (
    <time dateTime={new Date(at).toISOString()} title={`${localTime(at)} (${utc(at)})`}>
      {duration(nowMs.value - at)}
      {suffix}
    </time>
  );
}

/** Thousandths of a point as points. */
export function Points({ of, unit = false }: { of: number | null | undefined; unit?: boolean }) {
  if (of === null || of === undefined) return <Unknown />;
  return (
    <span class="points">
      {points(of)}
      {unit && " points"}
    </span>
  );
}

/** How old the data of a panel is, and since when it is stale. */
export function Freshness({ of }: { of: Polled<unknown> }) {
  const at = of.atMs.value;
  const error = of.error.value;
  if (error) {
    return (
      <Badge tone="warn" title={error.message}>
        {at === null ? "not loaded" : <>stale: as of <Ago at={at} /></>}
      </Badge>
    );
  }
  return <span class="small soft freshness">{at === null ? "loading" : <>as of <Ago at={at} /></>}</span>;
}

/** A message in a page. */
export function Message({ tone = "plain", title, children, live = false }: { tone?: Tone; title?: ComponentChildren; children?: ComponentChildren; live?: boolean }) {
  const Icon = ICONS[tone];
  return (
    <div class={`message ${tone}`} role={live ? (tone === "bad" ? "alert" : "status") : undefined}>
      <Icon class="icon" aria-hidden="true" />
      <div>
        {title && <strong>{title}</strong>}
        {children && <div>{children}</div>}
      </div>
    </div>
  );
}

/** Why the API refused something, which fields, and the request's id for the one who reads the logs. */
export function Refusal({ error, title }: { error: ApiError; title?: string }) {
  const faults = error.problem.errors ?? [];
  return (
    <Message tone="bad" title={title} live>
      <p>{error.message}</p>
      {faults.length > 0 && (
        <ul>
          {faults.map((fault) => (
            <li key={fault.field + fault.detail}>
              <code>{fault.field}</code>: {fault.detail}
            </li>
          ))}
        </ul>
      )}
      <p class="small soft">
        {error.code}
        {error.requestId && <> · request {error.requestId}</>}
      </p>
    </Message>
  );
}

/** An empty list: what it would hold, and what to do. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children && <div>{children}</div>}
    </div>
  );
}

/** Data that is loading, was refused, or is there. A later failure keeps what is there: `Freshness` shows it. */
export function Loading<T>({ of, children }: { of: Polled<T>; children: (data: T) => ComponentChildren }) {
  const data = of.data.value;
  const error = of.error.value;
  if (data !== undefined) return <>{children(data)}</>;
  if (error) return <Refusal error={error} title={error.isOutage ? "This could not be loaded. It is tried again." : undefined} />;
  return <div class="empty" role="status">Loading …</div>;
}

/** Whether acting makes no sense now: the API does not answer. */
export const isCutOff = (): boolean => failingSinceMs.value !== null;

/** A signal's value as text, so that only this text is drawn again. */
export function Text({ of }: { of: ReadonlySignal<string> }) {
  return <>{of.value}</>;
}
