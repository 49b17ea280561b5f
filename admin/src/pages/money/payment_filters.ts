/** What the API accepts as filters of payments. */

export interface Filters {
  q: string;
  user: string;
  source: string;
}

/** Return what is wrong with each filter, or null. An empty filter is none. */
export function filterFaults({ q, user, source }: Filters): Record<keyof Filters, string | null> {
  const isUser = /^u_[a-z2-7]{20}$/.test(user) || /^[^@\s]{1,64}@[^@\s]{1,190}$/.test(user);
  return {
    q: !q || /^[A-Za-z0-9_:-]{2,64}$/.test(q) ? null : "Give at least 2 letters, digits or _ : - of the id.",
    user: !user || isUser ? null : "Give a whole email, or a user id.",
    source: !source || /^[A-Za-z0-9][A-Za-z0-9 ._:@/-]{0,63}$/.test(source) ? null : "A source has letters, digits, spaces and . _ : @ / - only.",
  };
}
