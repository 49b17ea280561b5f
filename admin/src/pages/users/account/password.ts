/** New passwords. */

/** Without characters that people confuse: 0 O, 1 l I. */
const ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const GROUPS = 4;
const GROUP_LENGTH = 5;
export const LENGTH_MIN = 8;
export const LENGTH_MAX = 200;

/** Return a random password of some 116 bits: "h7Kpq-2mXvB-…". */
export function generatedPassword(): string {
  const letters: string[] = [];
  // A byte beyond the last whole multiple would prefer the first letters.
  const limit = 256 - (256 % ALPHABET.length);
  while (letters.length < GROUPS * GROUP_LENGTH) {
    for (const byte of crypto.getRandomValues(new Uint8Array(32))) {
      if (byte < limit && letters.length < GROUPS * GROUP_LENGTH) letters.push(ALPHABET.charAt(byte % ALPHABET.length));
    }
  }
  return Array.from({ length: GROUPS }, (_, n) => letters.slice(n * GROUP_LENGTH, (n + 1) * GROUP_LENGTH).join("")).join("-");
}

/** Return what is wrong with a typed password, or null. */
export function passwordFault(text: string): string | null {
  if (text.length < LENGTH_MIN) return `Use at least ${LENGTH_MIN} characters.`;
  if (text.length > LENGTH_MAX) return `Use at most ${LENGTH_MAX} characters.`;
  return null;
}
