/** How points are written, everywhere the same. */

/** What is shown for a figure that nobody knows. */
export const UNKNOWN = "–";

/** Return thousandths of a point as points with three decimals: 1234567 is "1,234.567". */
export function points(millipoints: number | null | undefined): string {
  if (millipoints === null || millipoints === undefined) return UNKNOWN;
  const amount = Math.abs(Math.trunc(millipoints));
  const whole = Math.floor(amount / 1000).toLocaleString("en-US");
  return `${millipoints < 0 ? "−" : ""}${whole}.${String(amount % 1000).padStart(3, "0")}`;
}

/** Return a change with its sign: "+5.000", "−0.250". */
export function signedPoints(millipoints: number | null | undefined): string {
  return typeof millipoints === "number" && millipoints > 0 ? `+${points(millipoints)}` : points(millipoints);
}

/** Return thousandths of a point as a number that programs read: 1234567 is "1234.567", and -250 is "-0.250". */
export function plainPoints(millipoints: number): string {
  const amount = Math.abs(Math.trunc(millipoints));
  return `${millipoints < 0 ? "-" : ""}${Math.floor(amount / 1000)}.${String(amount % 1000).padStart(3, "0")}`;
}

/** Return thousandths of a point for an input such as "12.5", or what is wrong with it. */
export function parsePoints(text: string): number | { fault: string } {
  const plain = text.trim().replace("−", "-");
  // Only commas that separate thousands: "12,5" means 12.5 to some, and must not become 125.
  if (plain.includes(",") && !/^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$/.test(plain)) return { fault: "Give a point before the decimals: 12.5." };
  const found = /^([+-])?(\d{1,9})(?:\.(\d{1,3}))?$/.exec(plain.replaceAll(",", ""));
  if (!found) return { fault: "Give points as a number with at most three decimals, such as 12.5." };
  const amount = Number(found[2]) * 1000 + Number((found[3] ?? "").padEnd(3, "0"));
  return found[1] === "-" ? -amount : amount;
}
