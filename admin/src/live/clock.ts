/** The time, for ages that grow while a page is open. */
import { signal } from "@preact/signals";

/** The time of this machine, renewed each second. */
export const nowMs = signal(Date.now());
setInterval(() => {
  if (!document.hidden) nowMs.value = Date.now();
}, 1000);
document.addEventListener("visibilitychange", () => {
  nowMs.value = Date.now();
});
