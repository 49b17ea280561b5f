/** A long list that draws its next rows when its end comes near, so that hundreds of rows cost no more than some. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Button } from "../../ui/buttons";
import { count } from "../../format/units";

const STEP = 30;

export function InView<T>({ rows, children }: { rows: readonly T[]; children: (rows: readonly T[]) => ComponentChildren }) {
  const drawn = useSignal(STEP);
  const end = useRef<HTMLDivElement>(null);
  const hasMore = drawn.value < rows.length;
  useEffect(() => {
    if (!end.current || !hasMore) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) drawn.value += STEP;
    }, { rootMargin: "200px" });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [hasMore, drawn.value]);
  return (
    <>
      {children(rows.slice(0, drawn.value))}
      {hasMore && (
        <div class="row viewers-rest" ref={end}>
          <Button slim onClick={() => (drawn.value += STEP)}>Show more</Button>
          <span class="small soft">{count(drawn.value)} of {count(rows.length)}</span>
        </div>
      )}
    </>
  );
}
