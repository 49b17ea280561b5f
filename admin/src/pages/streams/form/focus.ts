/** Go to the first field that is wrong, opening what it is in. */
export function focusFault(): void {
  window.requestAnimationFrame(() => {
    const field = document.querySelector<HTMLElement>(".stream-form [aria-invalid]");
    for (let around = field?.closest("details"); around; around = around.parentElement?.closest("details")) around.open = true;
    field?.focus();
  });
}
